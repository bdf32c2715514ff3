"""The page on GitLab leads to each check of doctor, and its calls are those that doctor tells."""

import re
from pathlib import Path

import pytest

from windlass.doctor.checks import CHECKS
from windlass.stack.gitlab import app

PAGE = (Path(__file__).parents[2] / "docs/gitlab.md").read_text()
NAMES = [check.NAME for check in CHECKS]


@pytest.mark.parametrize("name", NAMES)
def test_each_check_of_doctor_is_beside_the_setting_that_it_looks_at(name: str) -> None:
    assert f"(doctor.md#{name})" in PAGE


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.NAME)
def test_the_attributes_of_a_call_are_those_that_doctor_tells(check: object) -> None:
    told = [
        word for word in str(getattr(check, "API", "")).replace(",", "").split() if "=" in word and "..." not in word
    ]
    names = {word.partition("=")[0] for word in told if not word.startswith(("filter", "key", "masked", "value"))}
    assert [name for name in sorted(names) if name not in PAGE] == []


def test_the_stand_in_takes_each_call_but_those_that_the_page_names() -> None:
    known = [
        re.sub(r"\{\w+\}", "[^/]+", f"{route.method} {route.path}") for one in app.RESOURCES for route in one.ROUTES
    ]
    calls = set(re.findall(r"(?:GET|POST|PUT|PATCH) /(?:projects|groups|runners)[^ `]*", PAGE))
    unknown = {call for call in calls if not any(re.fullmatch(shape, call) for shape in known)}
    assert unknown == {
        "POST /projects/:id/access_tokens",
        "POST /projects/:id/approval_rules",
        "POST /projects/:id/protected_environments",
        "POST /projects/:platform/share",
        "PUT /runners/:runner_id",
    }
