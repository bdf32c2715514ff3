"""Freeze windows leave time open, or none: by their words, whatever they are called and however long they are."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import TypeAdapter

from windlass.lint.open_time import HORIZON, leaves_time
from windlass.spec.freeze import Freeze

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
WINDOWS = TypeAdapter(list[Freeze])


def again(cron: str, length: str, timezone: str = "Europe/Berlin") -> dict[str, str]:
    return {"cron": cron, "for": length, "timezone": timezone, "reason": "a"}


def once(begin: str, end: str, timezone: str = "UTC") -> dict[str, str]:
    return {"from": begin, "to": end, "timezone": timezone, "reason": "a"}


OPEN = [
    [],
    [again("0 14 * * 5", "64 hours")],
    [again("0 0 * * *", "23 hours")],
    [again("* * * 12 *", "1 hour")],
    [again("0 0 29 2 *", "24 hours")],
    [once("2026-01-01 00:00", "2027-11-23 04:00")],
    [once("2020-01-01 00:00", "2020-01-02 00:00")],
    [once("0001-01-01 00:00", "2026-12-01 00:00", "Asia/Tokyo"), once("2027-01-01 00:00", "9999-12-31 23:59", "UTC")],
    [again("0 0 * * 1-5", "24 hours"), again("0 1 * * 6", "47 hours")],
]
CLOSED = [
    [again("0 0 * * *", "24 hours")],
    [again("*/30 * * * *", "30 minutes")],
    [again("0 0 * * 1", "168 hours", "Asia/Kolkata")],
    [again("0 0 1 7 *", "8760 hours"), again("0 0 1 1 *", "8760 hours")],
    [once("2026-01-01 00:00", "9999-12-31 23:59", "America/New_York")],
    [once("0001-01-01 00:00", "9999-12-31 23:59", "Asia/Tokyo")],
    [again("0 0 * * 1-5", "24 hours"), again("0 0 * * 6", "48 hours")],
    [again("0 20 * * *", "12 hours", "UTC"), again("0 9 * * *", "12 hours", "Europe/Berlin")],
    [once("2026-01-01 00:00", "2027-01-01 00:00"), again("0 0 1 * *", "745 hours", "UTC")],
]


@pytest.mark.parametrize("windows", OPEN, ids=str)
def test_windows_between_which_something_may_come_leave_time(windows: list[dict[str, str]]) -> None:
    assert leaves_time(WINDOWS.validate_python(windows), NOW)


@pytest.mark.parametrize("windows", CLOSED, ids=str)
def test_windows_that_follow_each_other_for_ever_leave_none(windows: list[dict[str, str]]) -> None:
    assert not leaves_time(WINDOWS.validate_python(windows), NOW)


HOURS = some.integers(min_value=0, max_value=23)


@given(some.lists(some.tuples(HOURS, some.integers(min_value=1, max_value=30)), min_size=1, max_size=4))
def test_it_is_as_the_gate_sees_it_hour_by_hour(windows: list[tuple[int, int]]) -> None:
    found = WINDOWS.validate_python([again(f"0 {hour} * * *", f"{length} hours", "UTC") for hour, length in windows])
    hours = [NOW + timedelta(hours=number, minutes=30) for number in range(72)]
    some_open = any(all(window.until(hour) is None for window in found) for hour in hours)
    assert leaves_time(found, NOW) == some_open


def test_the_horizon_holds_each_day_of_a_year() -> None:
    assert timedelta(days=366) < HORIZON
