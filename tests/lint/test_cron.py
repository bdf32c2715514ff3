"""Cron expressions: what lint takes, Airflow's croniter takes too."""

import contextlib
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from croniter import CroniterBadDateError, croniter
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from windlass.lint.cron import shortest_gap, why_not_cron

PART = st.from_regex(r"(\*|[0-9]{1,2}|[0-9]{1,2}-[0-9]{1,2}|mon|jan|L|sat-sun)(/[0-9]{1,2})?", fullmatch=True)
FIELD = st.lists(PART, min_size=1, max_size=2).map(",".join)


def right_field(low: int, high: int) -> st.SearchStrategy[str]:
    """A field that is right: any, one, a range, each so many, and lists of them."""
    number = st.integers(low, high)
    span = st.lists(number, min_size=2, max_size=2, unique=True).map(lambda ends: f"{min(ends)}-{max(ends)}")
    part = st.one_of(number.map(str), span, st.integers(2, high - 1).map("*/{}".format))
    return st.one_of(st.just("*"), st.lists(part, min_size=1, max_size=2).map(",".join))


RIGHT = st.tuples(
    right_field(0, 59), right_field(0, 23), right_field(1, 31), right_field(1, 12), right_field(0, 7)
).map(" ".join)


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
        ("0\u00a06 * * *", "between the fields stand plain spaces"),
        ("0 0 31 2 *,3", "it never fires"),
        ("0 6 * *", "this has 4"),
        ("60 * * * *", "'60' is no minute; it goes from 0 to 59"),
        ("* * 0 * *", "'0' is no day of the month"),
        ("* * * foo *", "'foo' is no month"),
        ("* * * * 8", "'8' is no day of the week"),
        ("*/0 * * * *", "a step of 0"),
        ("5-1 * * * *", "runs backwards"),
        ("5-5 * * * *", "as all of them; write 5"),
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


@pytest.mark.parametrize(
    ("expression", "gap"),
    [
        ("@hourly", timedelta(hours=1)),
        ("*/15 * * * *", timedelta(minutes=15)),
        ("0,50 * * * *", timedelta(minutes=10)),
        ("0 6 * * *", timedelta(days=1)),
        ("0 6 * * mon-fri", timedelta(days=1)),
        ("0 6 * * mon", timedelta(days=7)),
        ("0 0,23 * * 7", timedelta(hours=23)),
        ("0 0 1 * *", timedelta(days=28)),
        ("0 0 L * *", timedelta(days=28)),
        ("0 0 29 2 *", timedelta(days=1461)),
        ("0 0 15 * mon", timedelta(days=1)),
        ("@once", None),
        ("nonsense", None),
        ("0 0 1 * */2", timedelta(days=1)),
        ("0 0 */2 * 0-6", timedelta(days=1)),
    ],
)
def test_the_shortest_time_between_two_runs_is_found(expression: str, gap: timedelta | None) -> None:
    assert shortest_gap(expression) == gap


@settings(max_examples=40)
@given(RIGHT, st.datetimes(datetime(2024, 1, 1), datetime(2031, 1, 1)))
def test_no_two_runs_of_croniter_are_closer_than_the_shortest_time(expression: str, moment: datetime) -> None:
    gap = shortest_gap(expression)
    assume(gap is not None)
    runs = croniter(expression, moment, max_years_between_matches=9)
    with contextlib.suppress(CroniterBadDateError):
        times = [runs.get_next(datetime) for _ in range(4)]
        assert all(later - earlier >= gap for earlier, later in pairwise(times)), expression
