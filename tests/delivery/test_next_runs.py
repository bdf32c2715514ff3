"""The next runs of a schedule are those that Airflow would begin, on both sides of summer time."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.delivery.plan.next_runs import PRESETS, next_runs

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def times(schedule: Any, zone: Any = "UTC", start: Any = "2026-01-01", now: datetime = NOW) -> tuple[str, ...] | None:
    return next_runs({"schedule": schedule, "timezone": zone, "start_date": start}, now).times


def test_runs_begin_after_now_and_not_before_the_start_date() -> None:
    assert times("0 10 * * *")[:1] == ("2026-11-23 10:00+00:00",)
    assert times("@daily", start="2027-01-01") == tuple(f"2027-01-0{day} 00:00+00:00" for day in (1, 2, 3))
    assert times("0 6 * * *", start="2027-01-01")[0] == "2027-01-01 06:00+00:00"


def test_a_schedule_of_none_has_no_runs_and_once_has_one_at_the_start() -> None:
    assert times(None) == ()
    assert times("@once", "Europe/Berlin", "2027-01-01") == ("2027-01-01 00:00+01:00",)
    assert times("@once") == ()


def test_runs_end_with_the_end_date_and_begin_with_the_time_of_a_start_date() -> None:
    dag = {
        "schedule": "@hourly",
        "timezone": "UTC",
        "start_date": "2027-01-01T05:30:00",
        "end_date": "2027-01-01T07:00:00",
    }
    assert next_runs(dag, NOW).times == ("2027-01-01 06:00+00:00", "2027-01-01 07:00+00:00")


def test_what_runs_by_no_clock_says_what_begins_a_run() -> None:
    assert next_runs({"schedule": {"every": "2 hours"}}, NOW).rhythm == "every 2 hours"
    assert next_runs({"schedule": {"assets": ["a"]}}, NOW).rhythm == "whenever assets have news"
    assert next_runs({"schedule": {"every": 3}}, NOW).times is None


def test_summer_time_leaves_the_hour_on_the_clock_as_it_is() -> None:
    before = datetime(2026, 10, 24, 12, 0, tzinfo=UTC)
    assert times("0 6 * * *", "Europe/Berlin", now=before) == (
        "2026-10-25 06:00+01:00",
        "2026-10-26 06:00+01:00",
        "2026-10-27 06:00+01:00",
    )
    autumn = datetime(2026, 10, 24, 22, 10, tzinfo=UTC)
    assert times("30 2 * * *", "Europe/Berlin", now=autumn)[0] == "2026-10-25 02:30+01:00"
    twice = datetime(2026, 10, 25, 0, 10, tzinfo=UTC)
    assert times("30 * * * *", "Europe/Berlin", now=twice) == (
        "2026-10-25 02:30+02:00",
        "2026-10-25 02:30+01:00",
        "2026-10-25 03:30+01:00",
    )
    spring = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)
    assert times("30 2 * * *", "Europe/Berlin", now=spring)[0] == "2026-03-29 03:30+02:00"


@pytest.mark.parametrize(
    ("schedule", "zone", "start"),
    [
        ("not cron", "UTC", "2026-01-01"),
        ("61 * * * *", "UTC", "2026-01-01"),
        ("0 0 31 2 *", "UTC", "2026-01-01"),
        ("* * * * * *", "UTC", "2026-01-01"),
        ("0 " * 500, "UTC", "2026-01-01"),
        ("0 6 * * *", "Moon/Crater", "2026-01-01"),
        ("0 6 * * *", "../../etc/passwd", "2026-01-01"),
        ("0 6 * * *", "/etc/passwd", "2026-01-01"),
        ("0 6 * * *", "", "2026-01-01"),
        ("0 6 * * *", "a\0b", "2026-01-01"),
        ("0 6 * * *", "UTC", "yesterday"),
        ("0 6 * * *", "UTC", "9999-12-31"),
        ([1], "UTC", "2026-01-01"),
        ("0 6 * * *", "UTC", None),
    ],
)
def test_what_cannot_be_read_has_unknown_runs(schedule: Any, zone: Any, start: Any) -> None:
    assert times(schedule, zone, start) is None


@settings(deadline=None)
@given(st.text(), st.text(), st.text())
def test_no_text_is_too_strange(schedule: str, zone: str, start: str) -> None:
    times(schedule, zone, "2026-01-01")
    times("@daily", "UTC", start)
    times(schedule[:9] + " * * * *", "UTC")


ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "America/St_Johns")
SCHEDULES = (
    *PRESETS,
    "0 6 * * *",
    "30 2 * * *",
    "*/30 * * * *",
    "*/20 2-3 * * *",
    "15 1 * * 0",
    "30 * * * *",
    "0 */2 * * *",
    "45 1,2,3 * * *",
    "0 0 L * *",
    "5 4 * * sun",
    "0 0 29 2 *",
)
SHIFTS = ("2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01")


@pytest.mark.airflow
def test_airflow_itself_would_begin_the_same_runs(tmp_path: Path) -> None:
    cases = [
        (zone, schedule, datetime.fromisoformat(f"{shift}T00:00+00:00") + timedelta(minutes=minutes))
        for zone in ZONES
        for schedule in SCHEDULES
        for shift in SHIFTS
        for minutes in (-719, -1, 0, 31, 61, 95, 420)
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("runs_by_airflow.py")],
        input=json.dumps([(zone, PRESETS.get(schedule, schedule), str(now)) for zone, schedule, now in cases]),
        capture_output=True,
        text=True,
        env=environment | {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    expected = json.loads(done.stdout.splitlines()[-1])
    for (zone, schedule, now), wanted in zip(cases, expected, strict=True):
        found = next_runs({"schedule": schedule, "timezone": zone, "start_date": "2025-01-01"}, now, 4).times
        assert list(found or ()) == wanted, (zone, schedule, now)
    print(f"{len(cases)} cases as Airflow reckons them")
