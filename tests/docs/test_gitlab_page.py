"""The page on GitLab leads to each check of doctor, and its calls are those that doctor tells."""

from pathlib import Path

import pytest

from windlass.doctor.checks import CHECKS

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
