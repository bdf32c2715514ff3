"""Cron expressions of five fields, as Airflow's croniter reads them: whether one is right, and if not, why."""

import re
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

PRESETS = ("@once", "@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")

_MONTHS = dict(
    zip(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), range(1, 13), strict=True)
)
_DAYS = dict(zip(("sun", "mon", "tue", "wed", "thu", "fri", "sat"), range(7), strict=True))
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART = re.compile(
    r"(?:(?P<all>\*)|(?P<first>[0-9]{1,2}|[a-z]{3})(?:-(?P<last>[0-9]{1,2}|[a-z]{3}))?)(?:/(?P<step>[0-9]{1,2}))?"
)


def why_not_cron(expression: str) -> str | None:
    """Why `expression` is not a cron expression that ever fires; None when it is one."""
    if odd := next((character for character in expression if not character.isascii()), None):
        return f"{odd!r} is no part of cron; between the fields stand plain spaces"
    words = expression.lower().split()
    if len(words) != 5:
        return f"cron has five fields (minute hour day month weekday), this has {len(words)}"
    days: list[set[int]] = []
    for word, field in zip(words, _FIELDS, strict=True):
        values = _values(word, *field)
        if isinstance(values, str):
            return values
        days.append(values)
    if "*" in words[4].split(",") and not any(day <= _LONGEST[month - 1] for day in days[2] for month in days[3]):
        return "it never fires: no such month has that day"
    return None


def _values(word: str, name: str, low: int, high: int, names: dict[str, int]) -> set[int] | str:
    """The numbers that a field stands for, or why it stands for none."""
    if (name, word) == ("day of the month", "l"):
        return {28}
    found: set[int] = set()
    for part in word.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            return f"{part!r} is no {name}; write {low}-{high}, *, a list, a range or a step like */5"
        numbers = [
            names.get(text, int(text) if text.isdigit() else -1) for text in match.group("first", "last") if text
        ]
        if any(not low <= number <= high for number in numbers):
            return f"{part!r} is no {name}; it goes from {low} to {high}"
        first = low if match["all"] else numbers[0]
        last = numbers[-1] if match["last"] or not (match["all"] or match["step"]) else high
        step = int(match["step"]) if match["step"] else 1
        if match["last"] and first == last:
            return f"{part!r} is no {name}: Airflow reads a range from a number to itself as all of them; write {first}"
        if step == 0 or first > last:
            return f"{part!r} is no {name}: " + (
                "a step of 0 leads nowhere" if step == 0 else "the range runs backwards"
            )
        found.update(range(first, last + 1, step))
    return found


_PRESET_GAPS = {
    "@hourly": timedelta(hours=1),
    "@daily": timedelta(days=1),
    "@weekly": timedelta(days=7),
    "@monthly": timedelta(days=28),
    "@quarterly": timedelta(days=90),
    "@yearly": timedelta(days=365),
}
_YEARS = 8
"""Of which one at least is a leap year, wherever one begins."""


@lru_cache(maxsize=256)
def shortest_gap(expression: str) -> timedelta | None:
    """The shortest time between two runs of a preset or a cron expression; None where it has none, or is none."""
    if expression in _PRESET_GAPS:
        return _PRESET_GAPS[expression]
    words = expression.lower().split()
    if expression.startswith("@") or why_not_cron(expression):
        return None
    minutes, hours, days, months, weekdays = (
        sorted(values) if isinstance(values := _values(word, *field), set) else []
        for word, field in zip(words, _FIELDS, strict=True)
    )
    times = [hour * 60 + minute for hour in hours for minute in minutes]
    within = [later - earlier for earlier, later in pairwise(times)]
    fires = _days(
        tuple(days),
        tuple(months),
        tuple(weekdays),
        either=not (
            _is_any(words[2], len(days) == _LONGEST[0], words[4])
            or _is_any(words[4], len({day % 7 for day in weekdays}) == len(_DAYS), words[2])
        ),
        last=words[2] == "l",
    )
    across = [(later - earlier).days * 1440 - times[-1] + times[0] for earlier, later in pairwise(fires)]
    return timedelta(minutes=min(within + across)) if within or across else None


def _is_any(word: str, names_all: bool, other: str) -> bool:
    """Whether croniter takes a field of days for no condition: `*/2` is one, as are all days beside one without a *."""
    return "*" in word.split(",") or (names_all and "*" in other)


@lru_cache(maxsize=256)
def _days(
    days: tuple[int, ...], months: tuple[int, ...], weekdays: tuple[int, ...], *, either: bool, last: bool
) -> list[date]:
    """The days of some years on which a cron expression fires: where both are given, either kind of day will do."""
    found = []
    for number in range(date(2024, 1, 1).toordinal(), date(2024 + _YEARS, 1, 1).toordinal()):
        day = date.fromordinal(number)
        if day.month in months:
            by_date = (day + timedelta(days=1)).day == 1 if last else day.day in days
            by_week = day.isoweekday() % 7 in weekdays or (day.isoweekday() == 7 and 7 in weekdays)
            if (by_date or by_week) if either else (by_date and by_week):
                found.append(day)
    return found
