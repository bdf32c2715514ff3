"""Where a problem of a loaded DAG is told: at the task, argument or own operator that a person wrote."""

import ast
from pathlib import Path
from typing import Any

import pytest

from tests.render.golden_project import CASES, golden_pipeline
from windlass.adapters.airflow_check import Loaded
from windlass.cli.checking import Checked, difference, judge
from windlass.render.places import name_at, places
from windlass.spec.document import parse_document

YAML = """dag: {name: x}
tasks:
  a:
    one: {operator_type: fetch, colour: red}
  b:
    two:
      operator_type: fetch
      colour: red
"""
SOURCE = """from airflow.sdk import DAG
with DAG(
    dag_id="x",
):
    with TaskGroup(group_id="a"):
        a_one = Fetch(task_id="one")
    with TaskGroup(group_id="b"):
        b_two__each = ForEach(task_id="two__each")
        b_two = Fetch.partial(
            task_id="two",
        ).expand(colour=["red"])
    a_one >> b_two
"""
ROOT = Path("/bundle")


def checked(**more: Any) -> Checked:
    document = parse_document("pipelines/x.yml", YAML.encode())
    return Checked(document, "x", SOURCE, ROOT, "p", frozenset({"fetch"}), **more)


def told(first: dict[str, Any], second: dict[str, Any] | None = None, **more: Any) -> list[str]:
    whole = {"ended": "well", "code": 0, "dags": {"x": {}}, "seconds": 0.1}
    first, second = {**whole, **first}, {**whole, **(first if second is None else second)}
    problems, slow = judge([checked(**more)], Loaded([first], [second], "nothing"))
    return [str(problem) for problem in (*problems, *slow)]


def frame(file: str, line: int) -> str:
    return f'  File "{ROOT / "p" / file}", line {line}, in <module>\n'


def test_every_task_of_a_golden_dag_has_its_place() -> None:
    for case in CASES:
        found = {place.name for place in places(case.with_suffix(".py").read_text())}
        pipeline = golden_pipeline(case)
        assert {*pipeline.task_ids, *pipeline.tree.groups} <= found, case


@pytest.mark.parametrize(
    ("line", "name"), [(3, ""), (5, "a"), (6, "a.one"), (8, "b.two__each"), (11, "b.two"), (12, "")]
)
def test_a_line_belongs_to_the_innermost_task_or_group(line: int, name: str) -> None:
    assert name_at(places(SOURCE), line) == name


def test_a_traceback_through_the_rendered_file_is_told_at_the_task() -> None:
    errors = f"Traceback:\n{frame('dags/x.py', 9)}TypeError: no"
    assert told({"errors": errors}) == ["pipelines/x.yml:6:5: Airflow cannot load it: TypeError: no [check-load]"]


def test_a_task_that_windlass_added_is_told_at_the_one_it_was_added_for() -> None:
    errors = f"Traceback:\n{frame('dags/x.py', 8)}TypeError: no"
    assert told({"errors": errors})[0].startswith("pipelines/x.yml:6:5: ")


def test_an_argument_that_the_error_names_is_told_at_the_argument() -> None:
    errors = f"Traceback:\n{frame('dags/x.py', 9)}TypeError: unexpected keyword argument 'colour'"
    assert told({"errors": errors})[0].startswith("pipelines/x.yml:8:7: ")


def test_an_own_operator_is_told_at_its_own_line_and_a_standard_one_at_the_task() -> None:
    own = frame("dags/x.py", 9) + frame("operators/fetch.py", 4) + frame("runtime/checks.py", 9)
    assert told({"errors": f"{own}ValueError: no"}) == [
        "operators/fetch.py:4:1: Airflow cannot load it: ValueError: no (pipeline 'x', task 'b.two') [check-load]"
    ]
    standard = frame("dags/x.py", 6) + frame("operators/deliver.py", 4)
    assert told({"errors": f"{standard}ValueError: no"})[0].startswith("pipelines/x.yml:4:5: ")


def test_only_the_error_that_was_not_caught_is_told() -> None:
    errors = (
        f"{frame('dags/x.py', 6)}KeyError: 'a'\n\n"
        "The above exception was the direct cause of the following exception:\n\n"
        f"{frame('dags/x.py', 9)}ValueError: b"
    )
    assert told({"errors": errors})[0].startswith("pipelines/x.yml:6:5: Airflow cannot load it: ValueError: b")


def test_the_folder_of_the_check_is_not_told() -> None:
    (found,) = told({"errors": "OSError: /tmp/windlass-check-ab12_x/bundle-usual/p/sql/x.sql"})
    assert "windlass-check" not in found and "p/sql/x.sql" in found


def test_the_task_and_value_that_differ_are_told() -> None:
    def dag(value: str) -> dict[str, Any]:
        return {"dags": {"x": {"dag": {"tasks": [{"__var": {"task_id": "b.two", "value": value}}]}}}}

    (found,) = told(dag("1"), dag("2"))
    assert found.startswith("pipelines/x.yml:6:5: task 'b.two' is another one each time that it is loaded (x.dag.tasks")
    assert told(dag("1"), dag("1")) == []


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"ended": "exit", "code": 3}, "ends the process while it is loaded with exit code 3"),
        ({"ended": "signal", "code": -9}, "ended by signal 9"),
        ({"ended": "time", "code": None}, "does not come to an end"),
        ({"left": 2}, "leaves processes running"),
        ({"broken": {"x": "TypeError: y"}}, "Airflow cannot keep it: TypeError: y [check-serialize]"),
        ({"dags": {}}, "Airflow finds no DAG 'x'"),
        ({"seconds": 1.5}, "takes 1.5 s to import"),
    ],
)
def test_what_else_can_happen_is_told_at_the_dag(result: dict[str, Any], words: str) -> None:
    (found,) = told(result)
    assert found.startswith("pipelines/x.yml:1:1: ") and words in found


def test_the_environment_in_which_it_happens_is_told() -> None:
    assert "in environment 'prod' [check-load]" in told({"dags": {}}, environment="prod")[0]


def test_two_files_that_make_one_dag_are_told() -> None:
    result = {"ended": "well", "code": 0, "dags": {"x": {}}, "seconds": 0.1}
    problems, _ = judge([checked(), checked()], Loaded([result] * 2, [result] * 2, ""))
    assert [problem.message for problem in problems] == ["dag_id 'x' is also made by pipelines/x.yml"]


def test_the_way_to_a_difference_is_the_first_one() -> None:
    assert difference({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}) == ("a", 1, "b")
    assert difference({"a": 1}, {"b": 1}) == () and difference([1], [1]) is None


def test_the_child_imports_nothing_but_the_standard_library_before_airflow() -> None:
    import sys

    from windlass.adapters.airflow_check import CHILD

    tree = ast.parse(CHILD.read_text())
    named = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    named |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert named <= set(sys.stdlib_module_names)


def test_without_airflow_one_sentence_tells_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import importlib.util

    from windlass.adapters.airflow_check import load_dags
    from windlass.spec.errors import WindlassError

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        WindlassError, match=r"Airflow is not installed here; pip install 'windlass\[airflow\]'"
    ) as stop:
        load_dags([], tmp_path)
    assert stop.value.exit_code == 2
