"""A small project whose pipelines are made from a template, for the tests to change."""

from collections.abc import Mapping
from pathlib import Path

from windlass.lint.check import Report, check_project

TEMPLATE = """\
template:
  description: Copies a table of the shop into the warehouse.
  parameters:
    table: {type: string, description: The table, pattern: "[a-z_]+"}
    columns: {type: array, description: Its columns, default: [id]}
    rows: {type: integer, description: At most so many, default: 1000, minimum: 1}
dag:
  schedule: "0 3 * * *"
  retries: 3
tasks:
  extract:
    rows:
      operator_type: pg_to_csv
      connection: shop
      sql: select * from $[[ parameters.table ]] limit $[[ parameters.rows ]]
      columns: $[[ parameters.columns ]]
      outputs: {data: rows.csv}
  load:
    rows:
      {operator_type: csv_to_pg, connection: dwh, table: "$[[ parameters.table ]]", inputs: {data: extract.rows.data}}
"""
ORDERS = """\
dag: {name: orders}
template: etl@2
with: {table: orders}
"""
FILES = {"templates/etl@2.yml": TEMPLATE, "pipelines/orders.yml": ORDERS}


def write(folder: Path, files: Mapping[str, str] = FILES) -> Path:
    """The project in `folder`, with these files in it."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8")
    return folder


def check(folder: Path, **changes: str) -> Report:
    """What lint finds in the project with other text in `template` or `orders`."""
    files = dict(FILES)
    for name, path in (("template", "templates/etl@2.yml"), ("orders", "pipelines/orders.yml")):
        files[path] = changes.get(name, files[path])
    return check_project(write(folder, files), None)


def said(report: Report) -> list[str]:
    """The problems as they are printed."""
    return [str(problem) for problem in report.problems]
