"""Cron expressions of five fields, as Airflow's croniter reads them: whether one is right, and if not, why."""

import re

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
    words = expression.lower().split()
    if len(words) != 5:
        return f"cron has five fields (minute hour day month weekday), this has {len(words)}"
    days: list[set[int]] = []
    for word, field in zip(words, _FIELDS, strict=True):
        values = _values(word, *field)
        if isinstance(values, str):
            return values
        days.append(values)
    if words[4] == "*" and not any(day <= _LONGEST[month - 1] for day in days[2] for month in days[3]):
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
        if step == 0 or first > last:
            return f"{part!r} is no {name}: " + (
                "a step of 0 leads nowhere" if step == 0 else "the range runs backwards"
            )
        found.update(range(first, last + 1, step))
    return found
