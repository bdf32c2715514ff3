"""What a docstring says of an operator and of its arguments."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from windlass.catalog.annotation import fits
from windlass.catalog.documented import documented
from windlass.catalog.listing import read_listed
from windlass.cli.operators import command
from windlass.spec.errors import WindlassError

DOCSTRING = """Reads a table. Or
    a view.

    Nothing else: it does
    not write.

    Args:
        sql: One query: with `a: b`
            in two lines.
        limit (int): How many rows.

    Returns:
        nothing: at all
    """


def test_a_docstring_is_a_text_and_what_it_says_of_each_argument() -> None:
    said = documented(DOCSTRING)
    assert said.summary == "Reads a table. Or a view."
    assert said.text == "Reads a table. Or a view.\n\nNothing else: it does not write."
    assert said.arguments == {"sql": "One query: with `a: b` in two lines.", "limit": "How many rows."}


@pytest.mark.parametrize(
    "docstring", ["", "Only this.", "Args:", "Args:\n\n", "Args:\n  none of the form", "Notes:\n  x: y"]
)
def test_any_other_docstring_is_only_text(docstring: str) -> None:
    assert documented(docstring).arguments == {}


def test_every_argument_and_port_of_the_standard_operators_is_typed_and_described(tmp_path: Path) -> None:
    operators, problems = read_listed(tmp_path)
    assert problems == () and len(operators) == 17
    for operator in operators:
        said = documented(operator.description)
        ports = {name for name in ("inputs", "outputs") if getattr(operator, name)}
        assert said.arguments.keys() == operator.arguments.keys() | ports, operator.name
        assert said.summary.endswith(".") and all(text.endswith(".") for text in said.arguments.values()), operator.name
        assert all(argument.annotation for argument in operator.arguments.values()), operator.name


@pytest.mark.parametrize(
    ("operator", "argument", "good", "bad"),
    [
        ("csv_to_pg", "mode", ["append", "upsert"], ["delete", None]),
        ("csv_to_pg", "keys", [["id"], None], ["id", [1]]),
        ("split_csv", "rows", [5, None], ["5", True]),
        ("convert", "types", [{"a": "string"}, None], [{"a": "text"}, ["a"]]),
        (
            "check_data",
            "ranges",
            [{"a": {"at_least": 0.5}}, {"a": {"at_most": "2026-01-01"}}],
            [{"a": 1}, {"a": {"x": []}}],
        ),
        ("check_data", "rows", [{"at_least": 1}], [{"at_least": "1"}, 1]),
        ("wait_for_file", "timeout", ["2 hours"], [120, "soon"]),
        ("http_to_file", "headers", [{"Accept": "text/csv"}, None], [{"Accept": 1}]),
        ("trigger_pipeline", "conf", [{"a": [1]}, None], [[1]]),
        ("trigger_pipeline", "wait", [True], ["yes", 1]),
    ],
)
def test_values_for_the_standard_operators_are_told_right_from_wrong(
    operator: str, argument: str, good: list[object], bad: list[object], tmp_path: Path
) -> None:
    ((found,), _) = read_listed(tmp_path, operator)
    annotation = found.arguments[argument].annotation
    assert [value for value in good if not fits(value, annotation)] == []
    assert [value for value in bad if fits(value, annotation)] == []


OWN = '''
class {name}(BaseOperator):
    """Greets."""

    def __init__(self, *, whom: "list[str]" = ["all"], **kwargs): ...
'''


def project(folder: Path) -> Path:
    (folder / "operators").mkdir()
    (folder / "operators/greet.py").write_text(OWN.format(name="Greet"))
    (folder / "operators/broken.py").write_text(OWN.format(name="Else"))
    return folder


def test_own_operators_are_listed_after_the_standard_ones_and_broken_ones_told(tmp_path: Path) -> None:
    operators, problems = read_listed(project(tmp_path))
    assert [operator.name for operator in operators][-2:] == ["wait_for_file", "greet"]
    assert [problem.path for problem in problems] == ["operators/broken.py"]


def test_an_operator_that_cannot_be_shown_is_one_sentence(tmp_path: Path) -> None:
    for name, reason in (("csv_to_pq", "did you mean 'csv_to_pg'"), ("broken", "operators/broken.py:1:1: ")):
        with pytest.raises(WindlassError, match=reason):
            read_listed(tmp_path if (tmp_path / "operators").exists() else project(tmp_path), name)


def test_the_command_lists_explains_and_gives_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project(tmp_path))
    listed = CliRunner().invoke(command, [])
    assert listed.exit_code == 1 and "csv_to_pg" in listed.output and "Greets." in listed.output
    explained = CliRunner().invoke(command, ["greet"])
    assert explained.exit_code == 0
    assert "list[str]" in explained.output and "['all']" in explained.output  # rich would take them for markup
    (data,) = json.loads(CliRunner().invoke(command, ["greet", "--json"]).stdout)
    assert data["arguments"] == {
        "whom": {"type": "list[str]", "default": "['all']", "required": False, "description": ""}
    }
