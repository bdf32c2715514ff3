"""Every link leads somewhere: between pages, to a heading of a page, and from helps and error sentences into docs/."""

import re
from functools import cache
from pathlib import Path

import pytest

from windlass.lint.explain import page as page_of_rule
from windlass.lint.explain import rule_names

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "CHANGELOG")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").glob("*/README.md")),
]
SOURCES = [*sorted((ROOT / "scripts/windlass").rglob("*.py")), *sorted((ROOT / "ci").glob("*.yml"))]
EXAMPLES = {"docs/x.md"}
"""Pages that a sentence names as an example of a path."""
_FENCED = re.compile(r"^( *)```.*?^\1```", re.M | re.S)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_NAMED = re.compile(r"\bdocs/[a-z/-]+\.md(?:#[a-z0-9_-]+)?")


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return _FENCED.sub("", page.read_text())


@cache
def anchors(page: Path) -> frozenset[str]:
    """What may follow `#` in a link to the page: its headings as GitLab writes them, the second of a name with `-1`."""
    found: dict[str, int] = {}
    for heading in re.findall(r"^#{1,6} (.+)$", prose(page), re.M):
        shown = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w -]", "", shown.lower()).strip().replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
    return frozenset(
        f"{slug}-{number}" if number else slug for slug, last in found.items() for number in range(last + 1)
    )


def dead(page: Path, target: str) -> bool:
    """Whether a link of `page` leads nowhere."""
    path, _, anchor = target.partition("#")
    led = (page.parent / path).resolve() if path else page
    if not led.exists() or not led.is_relative_to(ROOT):
        return True
    return bool(anchor) and anchor not in anchors(led)


def links(page: Path) -> list[str]:
    """The links of a page that stay in the repository."""
    return [
        target for target in _LINK.findall(prose(page)) if not target.startswith(("https://", "http://", "mailto:"))
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file_and_a_heading_that_are_there(page: Path) -> None:
    assert [target for target in links(page) if dead(page, target)] == []


def test_every_page_is_reached_from_the_first_one() -> None:
    seen, waiting = {README}, [README]
    while waiting:
        page = waiting.pop()
        for target in links(page):
            led = (page.parent / target.partition("#")[0]).resolve()
            led = led / "README.md" if led.is_dir() else led
            if led.suffix == ".md" and led.exists() and led not in seen:
                seen.add(led)
                waiting.append(led)
    assert [str(page.relative_to(ROOT)) for page in PAGES if page not in seen] == []


def test_every_page_that_a_sentence_of_the_tool_names_is_there() -> None:
    named = {(target, source.name) for source in SOURCES for target in _NAMED.findall(source.read_text())}
    assert "test.py" in {source for _, source in named}
    assert sorted((target, source) for target, source in named if target not in EXAMPLES and dead(README, target)) == []


def test_what_lint_says_of_a_rule_ends_at_its_heading() -> None:
    assert [rule for rule in rule_names() if dead(README, page_of_rule(rule))] == []


def test_a_heading_that_is_not_there_is_a_dead_link() -> None:
    assert dead(README, "docs/gate.md#nothing") and dead(README, "docs/nothing.md") and dead(README, "../elsewhere.md")
    assert not dead(README, "docs/gate.md#in-the-merge-request")
