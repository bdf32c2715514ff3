"""Cron expressions: what lint takes, Airflow's croniter takes too."""

import pytest
from croniter import croniter
from hypothesis import given
from hypothesis import strategies as st

from windlass.lint.cron import why_not_cron

PART = st.from_regex(r"(\*|[0-9]{1,2}|[0-9]{1,2}-[0-9]{1,2}|mon|jan|L|sat-sun)(/[0-9]{1,2})?", fullmatch=True)
FIELD = st.lists(PART, min_size=1, max_size=2).map(",".join)


@pytest.mark.parametrize(
    "good",
    [
        "0 6 * * *",
        "*/15 * * * *",
        "0 0 1 jan *",
        "0 22-23 * * mon-fri",
        "5,10 0 L * *",
        "0 0 29 2 *",
        "0 0 31 2 mon",
        "3/5 * * * 7",
    ],
)
def test_a_right_expression_is_taken(good: str) -> None:
    assert why_not_cron(good) is None


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("0 6 * *", "this has 4"),
        ("60 * * * *", "'60' is no minute; it goes from 0 to 59"),
        ("* * 0 * *", "'0' is no day of the month"),
        ("* * * foo *", "'foo' is no month"),
        ("* * * * 8", "'8' is no day of the week"),
        ("*/0 * * * *", "a step of 0"),
        ("5-1 * * * *", "runs backwards"),
        ("0 0 30 2 *", "never fires"),
        ("0 0 31 4,6,9,11 *", "never fires"),
        ("H * * * *", "'h' is no minute"),
    ],
)
def test_a_wrong_expression_is_refused_with_its_reason(bad: str, reason: str) -> None:
    assert reason in (why_not_cron(bad) or "")


@given(st.lists(FIELD, min_size=5, max_size=5).map(" ".join))
def test_what_lint_takes_croniter_takes_too(expression: str) -> None:
    if why_not_cron(expression) is None:
        assert croniter.is_valid(expression), expression
