"""Cron expressions of five fields, as Airflow's croniter reads them: whether one is right, and when it fires."""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

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


@dataclass(frozen=True)
class Cron:
    """A cron expression: the minutes of a day on which it fires, and the days.

    Where both kinds of day are given, `either` will do; `last` is the last day of a month.
    """

    times: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool
    last: bool

    def fires_on(self, day: date) -> bool:
        """Whether it fires on that day."""
        if day.month not in self.months:
            return False
        by_date = (day + timedelta(days=1)).day == 1 if self.last else day.day in self.days
        by_week = day.isoweekday() % 7 in self.weekdays
        return (by_date or by_week) if self.either else (by_date and by_week)


def why_not_cron(expression: str) -> str | None:
    """Why `expression` is not a cron expression that ever fires; None when it is one."""
    found = _read(expression)
    return found if isinstance(found, str) else None


@lru_cache(maxsize=256)
def parse_cron(expression: str) -> Cron:
    """The expression; ValueError says why it is none, or never fires."""
    found = _read(expression)
    if isinstance(found, str):
        raise ValueError(found)
    return found


def _read(expression: str) -> Cron | str:
    if odd := next((character for character in expression if not character.isascii()), None):
        return f"{odd!r} is no part of cron; between the fields stand plain spaces"
    words = expression.lower().split()
    if len(words) != 5:
        return f"cron has five fields (minute hour day month weekday), this has {len(words)}"
    found: list[set[int]] = []
    for word, field in zip(words, _FIELDS, strict=True):
        values = _values(word, *field)
        if isinstance(values, str):
            return values
        found.append(values)
    minutes, hours, days, months, weekdays = found
    if "*" in words[4].split(",") and not any(day <= _LONGEST[month - 1] for day in days for month in months):
        return "it never fires: no such month has that day"
    weekdays = {day % 7 for day in weekdays}
    any_date = _is_any(words[2], len(days) == _LONGEST[0], words[4])
    any_weekday = _is_any(words[4], len(weekdays) == len(_DAYS), words[2])
    return Cron(
        times=tuple(sorted(hour * 60 + minute for hour in hours for minute in minutes)),
        days=frozenset(days),
        months=frozenset(months),
        weekdays=frozenset(weekdays),
        either=not (any_date or any_weekday),
        last=words[2] == "l",
    )


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


def _is_any(word: str, names_all: bool, other: str) -> bool:
    """Whether croniter takes a field of days for no condition: `*/2` is one, as are all days beside one without a *."""
    return "*" in word.split(",") or (names_all and "*" in other)
