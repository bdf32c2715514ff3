"""docs/rules.md: each rule is there, and each example says exactly what lint says."""

import re
from collections.abc import Callable
from pathlib import Path

from windlass.lint.explain import explanation
from windlass.lint.rules import RULES

from .example_project import lint_example
from .test_rules import RULES_OF_READING

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
EXAMPLE = re.compile(
    r"^## (?P<rule>\S+)\n\n(?P<said>.*?)\n\n(?P<before>`(?P<path>[\w/]+/(?:(?:example|case)\.yml|CODEOWNERS))`\n\n"
    r"```(?:yaml|codeowners)\n(?P<yaml>.*?)```\n\n```text\n)(?P<out>.*?)```\n",
    re.S | re.M,
)


def test_the_page_says_what_the_rules_say_and_every_example_what_lint_says(
    tmp_path: Path, compare_golden: Callable[[Path, str], None]
) -> None:
    def rerun(match: re.Match[str]) -> str:
        found = lint_example(tmp_path / match["rule"], match["path"], match["yaml"])
        assert f"[{match['rule']}]" in found
        return f"## {match['rule']}\n\n{explanation(match['rule'])}\n\n{match['before']}{found}```\n"

    compare_golden(PAGE, EXAMPLE.sub(rerun, PAGE.read_text()))


def test_the_page_explains_every_rule_with_an_example() -> None:
    explained = [match["rule"] for match in EXAMPLE.finditer(PAGE.read_text())]
    assert sorted(explained) == sorted({rule.NAME for rule in RULES} | RULES_OF_READING)
