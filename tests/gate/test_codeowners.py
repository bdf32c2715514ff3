"""CODEOWNERS: which rule counts for a path, and what is wrong in a line."""

import pytest

from windlass.spec.codeowners import OwnedPath, Owners, parse_owners


@pytest.mark.parametrize(
    ("pattern", "fitting", "other"),
    [
        ("*", "a a/b .x", ""),
        ("*.sql", "a.sql sql/b.sql", "a.sql.txt a.sqlx"),
        ("/pipelines/", "pipelines/a.yml pipelines/x/y.yml", "a/pipelines/b.yml pipelines"),
        ("models/", "models/a.yml x/models/a.yml", "models mymodels/a"),
        ("/models/*", "models/a.yml", "models/x/a.yml"),
        ("/models/**/*.yml", "models/a.yml models/x/y/a.yml", "models/a.sql"),
        ("/environments/prod.yml", "environments/prod.yml", "x/environments/prod.yml environments/prod.yml/x"),
        ("README", "README docs/README", "README.md"),
        ("/a?c.yml", "abc.yml", "ac.yml a/c.yml"),
        ("/[ab]*.yml", "a.yml bx.yml", "c.yml"),
        ("/[!ab].yml", "c.yml", "a.yml"),
        ("/a+b(c).yml", "a+b(c).yml", "aab.yml"),
    ],
)
def test_a_pattern_fits_as_in_gitlab(pattern: str, fitting: str, other: str) -> None:
    rule = OwnedPath(1, pattern, Owners())
    assert [path for path in fitting.split() if not rule.fits(path)] == []
    assert [path for path in other.split() if rule.fits(path)] == []


FILE = rb"""
* @ann
/docs/ @eve platform @group/sub   # nobody else
/with\ space.yml @ann
[Models][2] @@data-engineer
/models/
/models/free/ @bob
!/models/README.md
^[Advice]
*.sql @ann
[models]
/data/ @@manager
"""


def test_sections_defaults_counts_and_exclusions() -> None:
    owners, document = parse_owners("environments/CODEOWNERS", FILE)
    assert [str(problem) for problem in document.problems] == [
        "environments/CODEOWNERS:3:13: 'platform' is no owner: it begins with no @; "
        "name @user, @group/path or @@role [code-owners]"
    ]
    plain, models, advice = owners.sections
    assert {rule.pattern: paths for rule, paths in plain.asked(["docs/a", "b", "with space.yml"]).items()} == {
        "/docs/": ["docs/a"],
        "*": ["b"],
        "/with space.yml": ["with space.yml"],
    }
    asked = models.asked(["models/a.yml", "models/free/b.yml", "models/README.md", "data/x", "y"])
    assert [(rule.owners.describe(), paths) for rule, paths in asked.items()] == [
        ("@@data-engineer", ["models/a.yml"]),
        ("@bob", ["models/free/b.yml"]),
        ("@@manager", ["data/x"]),
    ]
    assert (models.name, models.count, models.optional) == ("Models", 2, False)
    assert (advice.name, advice.optional) == ("Advice", True)
    assert [(name, line) for name, line, _ in owners.roles] == [("data-engineer", 5), ("manager", 12)]


@pytest.mark.parametrize("content", [b"\xff", b"x" * 2_000_000, b"[", b"/a\\"])
def test_what_is_no_such_file_is_a_problem(content: bytes) -> None:
    assert parse_owners("environments/CODEOWNERS", content)[1].problems


@pytest.mark.parametrize(
    ("pattern", "instead"),
    [
        ("/models/**", "write '/models/'"),
        ("!/models/**", "write '/models/'"),
        ("./models/", "relative"),
        ("/a//b", "relative"),
        ("/a/../b", "relative"),
    ],
)
def test_a_pattern_that_fits_less_than_it_seems_to_is_refused(pattern: str, instead: str) -> None:
    _, document = parse_owners("CODEOWNERS", f"{pattern} @ann\n".encode())
    assert [instead in problem.message for problem in document.problems] == [True]


@pytest.mark.parametrize(
    "pattern", ["**", "/**/a.yml", "models/**/", "**/models/", "/models/*", "a..b", ".gitlab-ci.yml"]
)
def test_other_stars_and_dots_are_as_in_gitlab(pattern: str) -> None:
    _, document = parse_owners("CODEOWNERS", f"{pattern} @ann\n".encode())
    assert document.problems == []


def test_a_long_path_is_compared_with_stars_upon_stars_at_once() -> None:
    """Before, each star more made a path of this length take a thousand times as long."""
    assert OwnedPath(1, "**/**/**/x", Owners()).fits("a/" * 5_000 + "x")
    assert not OwnedPath(1, "**/**/**/x", Owners()).fits("a/" * 5_000 + "y")
    assert OwnedPath(1, "/**/**/x", Owners()).fits("x")
    assert OwnedPath(1, "a/**/**/", Owners()).fits("b/a/c/d")
    assert not OwnedPath(1, "/a/**/**/", Owners()).fits("b")
