"""`windlass explain`: the place of every word about a value."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from windlass.cli.explain import command
from windlass.spec.errors import WindlassError

from .shop import FILES, ORDERS, write

OWN = (
    ORDERS.replace("orders}", "orders, retries: 4}", 1)
    + "tasks: {extract: {rows: {retries: 5}}}\n"
    + "environments: {prod: {dag: {retries: 6}, tasks: {extract: {rows: {connection: big}}}}}\n"
)
DEFAULTS = (
    "dag: {retries: 1, owner: shop}\noperators: {pg_to_csv: {connection: all}, csv_to_pg: {mode: upsert, keys: [id]}}\n"
)


@pytest.fixture
def explain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs the command in the project; gives what it prints, or its data where `--json` is asked for."""
    write(tmp_path, {**FILES, "pipelines/orders.yml": OWN, "defaults.yml": DEFAULTS})
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Any:
        done = CliRunner().invoke(command, arguments, catch_exceptions=False)
        return json.loads(done.stdout) if "--json" in arguments else done.stdout

    return run


def steps(found: list[dict[str, Any]]) -> list[tuple[str, Any, str | None]]:
    """Who said what and where, of the only field."""
    assert len(found) == 1
    return [
        (step["by"], step["value"], step["path"] and f"{step['path']}:{step['line']}:{step['column']}")
        for step in found[0]["steps"]
    ]


def test_every_word_about_a_key_is_listed_with_its_place(explain: Callable[..., Any]) -> None:
    found = explain("orders", "dag.retries", "--env", "prod", "--json")
    assert found[0]["value"] == 6
    assert steps(found) == [
        ("language", 0, None),
        ("defaults", 1, "defaults.yml:1:16"),
        ("template", 3, "templates/etl@2.yml:9:12"),
        ("pipeline", 4, "pipelines/orders.yml:1:30"),
        ("environment", 6, "pipelines/orders.yml:5:38"),
    ]


def test_a_task_has_what_the_dag_says_until_it_says_something_itself(explain: Callable[..., Any]) -> None:
    assert explain("orders", "load.rows.retries", "--json")[0]["value"] == 4
    found = explain("orders", "extract.rows.retries", "--json")
    assert [step["field"] for step in found[0]["steps"]] == ["dag.retries"] * 4 + [None]
    assert steps(found)[-1] == ("pipeline", 5, "pipelines/orders.yml:4:35")


def test_a_parameter_is_named_with_the_place_where_its_value_was_given(explain: Callable[..., Any]) -> None:
    found = explain("orders", "extract.rows.sql", "--json")
    assert found[0]["value"] == "select * from orders limit 1000"
    assert steps(found) == [
        (
            "template",
            "select * from $[[ parameters.table ]] limit $[[ parameters.rows ]]",
            "templates/etl@2.yml:15:12",
        ),
        ("template", 1000, "templates/etl@2.yml:6:66"),
        ("with", "orders", "pipelines/orders.yml:3:15"),
    ]
    assert [step["field"] for step in found[0]["steps"]] == [None, "parameters.rows", "parameters.table"]


def test_arguments_have_the_operators_default_and_that_of_defaults(explain: Callable[..., Any]) -> None:
    assert steps(explain("orders", "load.rows.mode", "--json")) == [
        ("operator", "append", None),
        ("defaults", "upsert", "defaults.yml:2:61"),
    ]
    assert steps(explain("orders", "extract.rows.connection", "--env", "prod", "--json"))[-2:] == [
        ("template", "shop", "templates/etl@2.yml:14:19"),
        ("environment", "big", "pipelines/orders.yml:5:79"),
    ]


def test_a_bound_of_an_output_shows_who_said_it(explain: Callable[..., Any], tmp_path: Path) -> None:
    template = FILES["templates/etl@2.yml"].replace("{data: rows.csv}", "{data: {file: rows.csv, rows: {at_least: 9}}}")
    own = "environments: {dev: {tasks: {extract: {rows: {outputs: {data: {rows: {at_least: 1}}}}}}}}\n"
    write(tmp_path, {"templates/etl@2.yml": template, "pipelines/orders.yml": ORDERS + own})
    found = explain("orders", "tasks.extract.rows.outputs.data.rows.at_least", "--env", "dev", "--json")
    assert [(by, value) for by, value, _ in steps(found)] == [("template", 9), ("environment", 1)]


def test_without_a_field_all_that_is_written_is_shown(explain: Callable[..., Any]) -> None:
    said = explain("pipelines/orders.yml")
    assert 'dag.owner = "shop"\n    "shop"  defaults  defaults.yml:1:26\n' in said
    assert "dag.timezone" not in said
    assert "language" not in said
    assert 'dag.timezone = "UTC"\n    "UTC"  language\n' in explain("orders", "dag.timezone")


def test_a_group_shows_what_is_in_it(explain: Callable[..., Any]) -> None:
    fields = [origin["field"] for origin in explain("orders", "load", "--json")]
    assert fields
    assert all(field.startswith("tasks.load.rows.") for field in fields)


def test_a_pipeline_of_one_file_is_explained_too(explain: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "defaults.yml").unlink()
    one = "dag: {name: one}\ntasks: {a: {b: {operator_type: s3_to_file, key: a, outputs: {d: a.csv}}}}\n"
    write(tmp_path, {"pipelines/one.yml": one})
    assert steps(explain("one", "tasks.a.b.key", "--json")) == [("pipeline", "a", "pipelines/one.yml:2:49")]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("order",), "there is no pipeline 'order' here; did you mean 'orders'?"),
        (("../orders",), "there is no pipeline '../orders' here"),
        (("orders", "dag.retires"), "pipelines/orders.yml has no field 'dag.retires'; did you mean 'retries'?"),
        (("orders", "tasks.extrct.rows"), "no field 'tasks.extrct'; did you mean 'extract'?"),
        (("orders", "dag", "--env", "prd"), "--env: there is no environment 'prd'; did you mean 'prod'?"),
    ],
)
def test_what_is_unknown_gets_a_near_match(
    arguments: tuple[str, ...], expected: str, explain: Callable[..., Any]
) -> None:
    with pytest.raises(WindlassError) as stop:
        explain(*arguments)
    assert expected in str(stop.value)


def test_a_pipeline_with_problems_shows_these_instead(explain: Callable[..., Any], tmp_path: Path) -> None:
    write(tmp_path, {"templates/etl@2.yml": FILES["templates/etl@2.yml"].replace("retries: 3", "retires: 3")})
    done = CliRunner().invoke(command, ["orders"], catch_exceptions=False)
    assert done.exit_code == 1
    assert done.stdout.startswith("templates/etl@2.yml:9:3: unknown key 'retires' in dag")


def test_the_path_of_a_file_is_said_to_be_one(explain: Callable[..., Any], tmp_path: Path) -> None:
    own = OWN.replace("tasks: {extract: {rows: {", "tasks: {extract: {rows: {sql: sql/x.sql, ")
    write(tmp_path, {"pipelines/orders.yml": own, "sql/x.sql": "select 1"})
    assert explain("orders", "extract.rows.sql").startswith('tasks.extract.rows.sql = "sql/x.sql" (a file)\n')
    (found,) = explain("orders", "extract.rows.sql", "--json")
    assert found["is_file"] and not explain("orders", "extract.rows.connection", "--json")[0]["is_file"]


SECRET = "Zq9xK4vB7mN1pR3t"


@pytest.mark.parametrize(
    ("argument", "given", "own"),
    [
        ("password: '$[[ parameters.p ]]'", SECRET, f"password: {SECRET}"),
        ("conf: {api_key: '$[[ parameters.p ]]'}", SECRET, f"conf: {{api_key: {SECRET}}}"),
        ("uri: '$[[ parameters.p ]]@host'", f"pg://user:{SECRET}", f"uri: 'pg://user:{SECRET}@host'"),
    ],
)
def test_a_secret_is_not_shown_wherever_it_is_written(
    argument: str, given: str, own: str, explain: Callable[..., Any], tmp_path: Path
) -> None:
    template = "template: {description: d, parameters: {p: {type: string, description: d}}}\n"
    template += f"tasks: {{a: {{b: {{operator_type: airflow.x.Y, {argument}}}}}}}\n"
    use = f"dag: {{name: one}}\ntemplate: t@1\nwith: {{p: '{given}'}}\n"
    use += f"tasks: {{a: {{c: {{operator_type: airflow.x.Y, {own}}}}}}}\n"
    write(tmp_path, {"templates/t@1.yml": template, "pipelines/one.yml": use})
    assert SECRET not in explain("one")
    shown = explain("one", "tasks.a", "--json")
    assert SECRET not in json.dumps(shown)
    assert sum(origin["value"] == "***" for origin in shown) == 2
