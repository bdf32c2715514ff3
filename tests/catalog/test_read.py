"""The catalogue: what an operator's source says, without running it."""

from pathlib import Path

import pytest

from windlass.catalog.annotation import fits, takes_duration
from windlass.catalog.operator import Argument, class_name
from windlass.catalog.read import MADE, STANDARD, read_catalog

OPERATOR = '''
from airflow.sdk import BaseOperator

class ReadTable(BaseOperator):
    """Reads a table."""

    inputs = {}
    outputs: dict[str, str] = {"data": ".csv"}
    template_fields = ("sql",)

    def __init__(self, *, sql: str, limit: "int | None" = None, outputs: dict[str, str], task_id: str, **kwargs):
        super().__init__(**kwargs)
        self.outputs = outputs
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "operators").mkdir()
    (tmp_path / "operators/read_table.py").write_text(OPERATOR)
    return tmp_path


def test_an_operator_is_its_class_arguments_and_ports(project: Path) -> None:
    catalog = read_catalog(project, set())
    operator = catalog.operators["read_table"]
    assert catalog.problems == ()
    assert (operator.class_name, operator.description, operator.own) == ("ReadTable", "Reads a table.", True)
    assert operator.arguments == {"sql": Argument("str"), "limit": Argument("int | None", "None")}
    assert operator.arguments["sql"].required and not operator.arguments["limit"].required
    assert operator.needs == ("outputs",)


def test_ports_are_those_of_the_class_and_not_what_init_assigns(project: Path) -> None:
    operator = read_catalog(project, set()).operators["read_table"]
    assert (operator.inputs, operator.outputs) == ({}, {"data": ".csv"})


def test_the_standard_operators_can_all_be_read(tmp_path: Path) -> None:
    names = {path.stem for path in STANDARD.glob("*.py")} - {"__init__", *MADE}
    catalog = read_catalog(tmp_path, names)
    assert catalog.problems == () and set(catalog.operators) == names
    assert set(catalog.operators["s3_to_file"].arguments) == {"key"}
    assert catalog.operators["deliver"].inputs == catalog.operators["s3_to_file"].outputs == {"?": ""}


def test_only_the_standard_operators_that_are_wanted_are_read_but_all_names_are_known(tmp_path: Path) -> None:
    catalog = read_catalog(tmp_path, {"deliver", "unknown"})
    assert set(catalog.operators) == {"deliver"}
    assert {"deliver", "s3_to_file"} <= catalog.names and "job" not in catalog.names


@pytest.mark.parametrize(
    ("name", "source", "message"),
    [
        (
            "read_table",
            OPERATOR.replace("ReadTable", "ReadTAble"),
            "needs a class 'ReadTable' here; did you mean 'ReadTAble'?",
        ),
        ("read_table", OPERATOR.replace('{"data": ".csv"}', "dict(data='.csv')"), "must be a literal mapping"),
        ("read_table", OPERATOR.replace('{"data": ".csv"}', "{'data': 3}"), "must be a literal mapping"),
        ("read_table", "class ReadTable(:", "cannot be read as Python"),
        ("read_table", OPERATOR.replace("inputs = {}", "inputs = {'q': '.csv'}"), "template_fields must hold 'inputs'"),
        ("deliver", OPERATOR, "exists in windlass's standard library"),
        ("job", OPERATOR, "exists in windlass's standard library"),
        ("task_group", OPERATOR, "would hide Airflow's TaskGroup"),
    ],
)
def test_an_operator_that_cannot_be_used_is_a_problem(name: str, source: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "operators").mkdir()
    (tmp_path / f"operators/{name}.py").write_text(source)
    catalog = read_catalog(tmp_path, set())
    assert name not in catalog.operators
    assert [problem.path for problem in catalog.problems] == [f"operators/{name}.py"]
    assert message in catalog.problems[0].message


def test_a_class_is_called_like_its_file() -> None:
    assert [class_name(name) for name in ("s3_to_file", "deliver", "read_table")] == [
        "S3ToFile",
        "Deliver",
        "ReadTable",
    ]


@pytest.mark.parametrize(
    ("annotation", "good", "bad"),
    [
        ("str", ["a"], [1, None, ["a"]]),
        ("int", [1], ["1", True, 1.5]),
        ("float", [1, 1.5], ["1", True]),
        ("bool", [True], [1, "true"]),
        ("int | None", [1, None], ["a"]),
        ("Optional[int]", [1, None], ["a"]),
        ("Union[int, str]", [1, "a"], [None]),
        ("list[str]", [["a"], []], ["a", [1]]),
        ("dict[str, int]", [{"a": 1}], [{"a": "b"}, []]),
        ("Sequence[str]", [["a"]], ["a"]),
        ("Literal['a', 'b']", ["a"], ["c"]),
        ("timedelta", ["10 minutes"], [10, "soon"]),
        ("datetime.timedelta | None", ["1 hour", None], [1]),
        ("", [1, "a", None], []),
        ("Anything[odd", [1, "a", None], []),
        ("SomeClass", [1, "a", None], []),
    ],
)
def test_a_value_fits_its_annotation(annotation: str, good: list[object], bad: list[object]) -> None:
    assert [value for value in good if not fits(value, annotation)] == []
    assert [value for value in bad if fits(value, annotation)] == []


def test_only_a_timedelta_takes_a_duration() -> None:
    assert all(takes_duration(text) for text in ("timedelta", "datetime.timedelta | None", "Optional[timedelta]"))
    assert not any(takes_duration(text) for text in ("str", "str | timedelta", "dict[str, timedelta]"))
