"""docs/doctor.md has each check, in the words of its own documentation."""

from collections.abc import Callable
from pathlib import Path

from windlass.doctor.checks import CHECKS
from windlass.doctor.examine import examine

from .examples import GOOD

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "doctor.md"
PLACES = {
    "machine": "This machine",
    "repository": "The repository",
    "project": "Its project in GitLab",
    "platform": "The platform project",
}


def test_the_page_explains_every_check_in_its_own_words(compare_golden: Callable[[Path, str], None]) -> None:
    head, marker, _ = PAGE.read_text().partition("<!-- checks -->\n")
    assert marker
    parts = [head + marker]
    for place, title in PLACES.items():
        parts.append(f"\n## {title}\n")
        for check in CHECKS:
            if place == check.PLACE:
                change = f"Change: {check.MENU}." + (f" API: `{check.API}`" if check.API else "")
                said = (check.__doc__ or "").strip()
                parts.append(f"\n### {check.NAME}\n\n{said}\n\nSeverity: {check.SEVERITY}. {change}\n")
    compare_golden(PAGE, "".join(parts))


def test_every_check_leads_to_a_section_that_is_there() -> None:
    for result in examine(GOOD):
        page, _, section = result.page.partition("#")
        assert f"\n### {section}\n" in (ROOT / page).read_text()
        assert result.to_json()["page"] == result.page
