"""Durations as people write them: `90 seconds`, `60 minutes`, `2 hours`, `1 day`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

LONGEST = timedelta(days=365)
_FORM = re.compile(r"([1-9][0-9]{0,6}) (second|minute|hour|day)s?")


def parse_duration(value: object) -> timedelta:
    """The length of time that `value` names; ValueError says what would be right."""
    if isinstance(value, timedelta):
        return value
    match = _FORM.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a duration; write it like '90 seconds', '60 minutes' or '2 hours'")
    length = timedelta(**{match[2] + "s": int(match[1])})
    if length > LONGEST:
        raise ValueError(f"{value!r} is longer than {LONGEST.days} days")
    return length


def duration_text(length: timedelta) -> str:
    """A length of whole seconds as people write it, in the largest unit that fits: `20 minutes`."""
    seconds = int(length.total_seconds())
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size} {unit}{'' if seconds == size else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
