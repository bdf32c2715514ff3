"""The page on the gate tells of everything that a gate refuses, where a person looks for it."""

import ast
import re
from pathlib import Path

import pytest

from windlass.delivery import gate

PAGE = (Path(__file__).parents[2] / "docs/gate.md").read_text()
SECTIONS = {part.partition("\n")[0]: part for part in re.split(r"^## ", PAGE, flags=re.M)[1:]}
TOLD = {
    "policy": ("Switch it on", "**Where it is read.**"),
    "environment": ("Switch it on", "are different here"),
    "origin": ("Switch it on", "another server or repository"),
    "branch": ("Tokens", "an unprotected one refuses"),
    "commit": ("What is asked", "on the default branch"),
    "range": ("What is asked", "from the commit that is live"),
    "tag": ("What is asked", "**The tag**"),
    "soak": ("What is asked", "**Soak.**"),
    "verified": ("What is asked", "first `pass`"),
    "freeze": ("Stop the line", "`windlass freeze ENV"),
    "a merge request": ("What is asked", "must have come by a merge request"),
    "what git merges": ("What is asked", "what git makes of its two sides"),
    "what !{iid} showed": ("What is asked", "what the merge request showed last"),
    "!{iid}": ("What is asked", "**Approvals** of each"),
}
"""Of each thing that can be refused: the section of the page, and words in it."""


def test_every_refusal_is_of_something_that_the_page_tells_of() -> None:
    calls = [
        node
        for path in sorted(Path(gate.__path__[0]).glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "refused"
    ]
    named = {_name(call) for call in calls}
    assert len(calls) > 20
    assert named == set(TOLD)


def _name(call: ast.Call) -> str:
    """What is refused; of a commit what was wanted of it, and of a merge request that it is one."""
    what, wanted = call.args[:2]
    if isinstance(what, ast.Constant):
        return str(what.value)
    if isinstance(what, ast.Name) and not isinstance(wanted, ast.Name):
        return ast.unparse(wanted).removeprefix("f").strip("'")
    return "!{iid}"


@pytest.mark.parametrize("what", TOLD)
def test_it_tells_so_in_its_section(what: str) -> None:
    section, words = TOLD[what]
    assert words in " ".join(SECTIONS[section].split())


def test_lint_and_doctor_lead_to_sections_that_are_there() -> None:
    headings = {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in SECTIONS}
    root = Path(__file__).parents[2]
    pages = [*root.glob("docs/**/*.md"), root / "README.md", *root.glob("scripts/windlass/**/*.py")]
    linked = {name for page in pages for name in re.findall(r"gate\.md#([a-z-]+)", page.read_text())}
    assert linked <= headings
