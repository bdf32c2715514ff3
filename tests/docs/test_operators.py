"""docs/operators.md says what the operators' sources say, and each of its examples is a task that lint accepts."""

from collections.abc import Callable
from pathlib import Path
from textwrap import indent

import pytest

from windlass.catalog.documented import documented
from windlass.catalog.listing import read_listed
from windlass.catalog.operator import Operator
from windlass.lint.report import lint

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/operators.md"
START = "<!-- operators -->\n"
OPERATORS, _ = read_listed(ROOT / "tests")
PIPELINE = """
dag:
  name: example
  description: Holds an example.
  schedule: null
  start_date: 2026-01-01
tasks:
  take:
    orders: {operator_type: s3_to_file, key: orders.csv, outputs: {data: orders.csv}}
    parts: {operator_type: split_csv, rows: 9, inputs: {data: take.orders.data}, outputs: {parts: orders.csv}}
  example:
"""


def test_the_page_is_what_the_sources_say(compare_golden: Callable[[Path, str], None]) -> None:
    head, marker, _ = PAGE.read_text().partition(START)
    assert marker
    compare_golden(PAGE, head + marker + "\n" + "\n".join(_section(operator) for operator in OPERATORS))


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.name)
def test_every_example_is_a_task_that_lint_accepts(operator: Operator, tmp_path: Path) -> None:
    example = documented(operator.description).example
    assert f"operator_type: {operator.name}\n" in example
    path = tmp_path / "pipelines/example.yml"
    path.parent.mkdir()
    path.write_text(PIPELINE + indent(example, "    ") + "\n")
    assert [str(problem) for problem in lint([], tmp_path, None).problems] == []


def _section(operator: Operator) -> str:
    said = documented(operator.description)
    rows = [f"## {operator.name}\n\n{said.text}\n\n| argument | type | default | what it is |\n|---|---|---|---|"]
    for name, argument in operator.arguments.items():
        default = "required" if argument.required else f"`{argument.default}`"
        rows.append(_row(f"`{name}`", f"`{argument.annotation}`", default, said.arguments[name]))
    for kind, ports in (("inputs", operator.inputs), ("outputs", operator.outputs)):
        if ports:
            listed = ", ".join(f"`{port}{' ' + ending if ending else ''}`" for port, ending in ports.items())
            rows.append(_row(f"`{kind}`", listed, "required", said.arguments[kind]))
    return "\n".join(rows) + f"\n\n```yaml\n{said.example}\n```\n"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
