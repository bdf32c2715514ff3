"""Durations as people write them: `90 seconds`, `60 minutes`, `2 hours`, `1 day`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

_FORM = re.compile(r"([1-9][0-9]{0,6}) (second|minute|hour|day)s?")


def parse_duration(value: object) -> timedelta:
    """The length of time that `value` names; ValueError says what would be right."""
    if isinstance(value, timedelta):
        return value
    match = _FORM.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a duration; write it like '90 seconds', '60 minutes' or '2 hours'")
    return timedelta(**{match[2] + "s": int(match[1])})


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
