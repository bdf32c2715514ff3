"""Moments as people write them: `2026-11-22`, `2026-11-22 14:00`, `yesterday 14:00`, `2 hours ago`. All is UTC."""

import re
from datetime import UTC, datetime, time, timedelta

EXAMPLES = "'2026-11-22', '2026-11-22 14:00', '2026-11-22T14:00+01:00', 'yesterday 14:00' or '2 hours ago'"

_AGO = re.compile(r"([0-9]{1,6}) (second|minute|hour|day|week)s? ago")
_OF_DAY = re.compile(r"(?:(today|yesterday) ?)?((?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)?")
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].+)?")


def parse_moment(text: str, now: datetime) -> datetime:
    """The moment that `text` names at the time `now`, in UTC; a date alone is its first instant.

    What names no zone is meant in UTC, as windlass prints all times. ValueError says what would be right.
    """
    try:
        found = _parse(" ".join(text.split()), now.astimezone(UTC))
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise ValueError(f"{text!r} is not a time; write it like {EXAMPLES}")
    return found


def _parse(text: str, now: datetime) -> datetime | None:
    words = text.lower()
    if words == "now":
        return now
    if match := _AGO.fullmatch(words):
        return now - timedelta(**{match[2] + "s": int(match[1])})
    if words and (match := _OF_DAY.fullmatch(words)):
        day = now.date() - timedelta(days=match[1] == "yesterday")
        hour, minute, second = (int(part) for part in f"{match[2] or '0:00'}:00".split(":")[:3])
        return datetime.combine(day, time(hour, minute, second), UTC)
    if _ISO.fullmatch(text):
        moment = datetime.fromisoformat(text.removesuffix(" UTC"))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return None


def read_timestamp(text: str) -> datetime | None:
    """The moment of a time stamp as windlass writes it; None when it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def written(moment: datetime) -> str:
    """`2026-11-22 14:00 UTC`, with seconds where there are any."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M" + (":%S" if moment.second else "") + " UTC")
