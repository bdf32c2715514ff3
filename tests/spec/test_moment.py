"""Moments as people write them."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.spec.moment import parse_moment, read_timestamp, written

NOW = datetime(2026, 11, 22, 10, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21", "2026-11-21 00:00 UTC"),
        ("2026-11-21 14:00", "2026-11-21 14:00 UTC"),
        ("2026-11-21T14:00", "2026-11-21 14:00 UTC"),
        ("2026-11-21 14:00:05 UTC", "2026-11-21 14:00:05 UTC"),
        ("2026-11-21T14:00Z", "2026-11-21 14:00 UTC"),
        ("2026-11-21T14:00+01:00", "2026-11-21 13:00 UTC"),
        ("  2026-11-21   14:00 ", "2026-11-21 14:00 UTC"),
        ("yesterday 14:00", "2026-11-21 14:00 UTC"),
        ("yesterday", "2026-11-21 00:00 UTC"),
        ("Today 9:05", "2026-11-22 09:05 UTC"),
        ("9:05", "2026-11-22 09:05 UTC"),
        ("2 hours ago", "2026-11-22 08:30:15 UTC"),
        ("1 week ago", "2026-11-15 10:30:15 UTC"),
        ("now", "2026-11-22 10:30:15 UTC"),
    ],
)
def test_a_moment_is_read_in_utc(text: str, expected: str) -> None:
    assert written(parse_moment(text, NOW)) == expected


def test_now_in_another_zone_is_the_same_moment() -> None:
    there = NOW.astimezone(timezone(timedelta(hours=14)))
    assert parse_moment("today", there) == datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        *("", "tomorrow", "soon", "25:00", "9:65", "2026-13-01", "2026-11-21 14:00 CET", "22.11.2026", "-1 hours ago"),
        *("999999 weeks ago", "0001-01-01T00:00+14:00", "41", "2026", "yesterday14", "\x1b[31m"),
    ],
)
def test_what_is_no_moment_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a time; write it like '2026-11-22', .* or '2 hours ago'"):
        parse_moment(text, NOW)


@given(st.text())
def test_any_text_is_a_moment_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert parse_moment(text, NOW).tzinfo is UTC


@given(st.text())
def test_a_time_stamp_is_read_or_is_none(text: str) -> None:
    found = read_timestamp(text)
    assert found is None or found.tzinfo is not None
    assert read_timestamp("2026-11-22T10:30:15Z") == NOW
