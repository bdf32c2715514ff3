"""Every rule, against its golden cases: `rules/<rule>/<case>.yml` (`.model.yml`, `.template.yml`...) and `.out`."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from windlass.lint import rules
from windlass.lint.reading import READING
from windlass.lint.rules import RULES

from .example_project import lint_example, path_of

CASES = sorted((Path(__file__).parent / "rules").glob("*/*.yml"))
RULES_OF_READING = set(READING)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_a_case_gives_exactly_its_golden_problems(
    case: Path, tmp_path: Path, compare_golden: Callable[[Path, str], None]
) -> None:
    found = lint_example(tmp_path, path_of(case), case.read_text())
    compare_golden(case.with_suffix(".out"), found)
    if case.stem not in ("shell_and_templates",):
        assert f"[{case.parent.name}]" in found, "the case does not show its rule"


def test_the_project_of_the_examples_itself_has_no_problems(tmp_path: Path) -> None:
    good = "dag: {name: good}\ntasks: {a: {b: {operator_type: s3_to_file, key: a, outputs: {data: a.csv}}}}\n"
    assert lint_example(tmp_path, "pipelines/good.yml", good) == ""


def test_no_rule_is_missing_from_the_tuple_and_each_has_its_modules_name() -> None:
    modules = {path.stem for path in Path(rules.__file__).parent.glob("*.py")} - {"__init__"}
    assert {rule.__name__.rpartition(".")[2] for rule in RULES} == modules
    assert {rule.NAME for rule in RULES} == {module.replace("_", "-") for module in modules}
    assert all(rule.__doc__ and rule.check.__doc__ for rule in RULES)


def test_every_rule_has_a_golden_case_and_no_case_is_of_an_unknown_rule() -> None:
    assert {case.parent.name for case in CASES} == {rule.NAME for rule in RULES} | RULES_OF_READING


def test_every_rule_that_a_problem_names_is_known() -> None:
    named = {
        rule for case in CASES for rule in re.findall(r"\[([a-z-]+)\]$", case.with_suffix(".out").read_text(), re.M)
    }
    assert named <= {rule.NAME for rule in RULES} | RULES_OF_READING
