"""What a value of a column must be: its type, its bounds, and the values it may have."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

_INTEGER = re.compile(r"[+-]?[0-9]{1,1000}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_BOOLEANS = frozenset(("true", "True", "TRUE", "1", "false", "False", "FALSE", "0"))
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
WRITTEN: Mapping[str, str] = {
    "boolean": "boolean like true",
    "integer": "integer",
    "number": "number",
    "string": "text",
    "date": "date like 2026-01-31",
    "timestamp": "timestamp like 2026-01-31 06:00:00",
}
_SHOWN = 12


@dataclass(frozen=True)
class Column:
    """What each value of a column must be; only `nulls` is asked of an empty one.

    Without a type, numbers as bounds want a number and text as bounds is compared as text.
    """

    type: str | None = None
    nulls: bool = True
    at_least: Any = None
    at_most: Any = None
    one_of: Sequence[Any] | None = None
    matches: str | None = None

    def __post_init__(self) -> None:
        if len({isinstance(bound, str) for bound in (self.at_least, self.at_most) if bound is not None}) > 1:
            raise ValueError("at_least and at_most are either both numbers or both text")
        for bound in (self.at_least, self.at_most):
            if bound is not None and self._bound(bound) is None:  # which would be no bound at all
                raise ValueError(f"{bound!r} is no {WRITTEN[self.type or 'number']}")

    def why_not(self, value: Any, *, is_text: bool) -> str | None:
        """What is wrong with a value that is not empty, if anything; `is_text` for files in which all values are."""
        found = self._read(value, is_text)
        if found is None:
            return f"is {shown(value)}, which is no {WRITTEN[self.type or 'number']}"
        if self._least is not None and not found >= self._least:
            return f"is {shown(value)}, less than {self.at_least}"
        if self._most is not None and not found <= self._most:
            return f"is {shown(value)}, more than {self.at_most}"
        if self.one_of is not None and not any(found == each for each in self.one_of):
            return f"is {shown(value)}, none of {_listed(self.one_of)}"
        if self._pattern is not None and not (isinstance(found, str) and self._pattern.fullmatch(found)):
            return f"is {shown(value)}, which does not match {self.matches}"
        return None

    @property
    def is_plain(self) -> bool:
        """Whether any value will do."""
        return self.type in (None, "string") and self.is_unbound and self.one_of is None and self.matches is None

    @property
    def is_unbound(self) -> bool:
        """Whether there is neither a least nor a most."""
        return self.at_least is None and self.at_most is None

    @cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        return None if self.matches is None else re.compile(self.matches)

    @cached_property
    def _least(self) -> Any:
        return self._bound(self.at_least)

    @cached_property
    def _most(self) -> Any:
        return self._bound(self.at_most)

    def _bound(self, bound: Any) -> Any:
        return _FROM_TEXT[self.type](bound) if bound is not None and self.type in ("date", "timestamp") else bound

    def _read(self, value: Any, is_text: bool) -> Any:
        """What is compared; None where the value has not the type, or cannot be compared with the bounds."""
        if self.type is not None:
            return (_FROM_TEXT if is_text else _FROM_VALUE)[self.type](value)
        if self.is_unbound:
            return value
        if isinstance(self.at_least if self.at_least is not None else self.at_most, str):
            return str(value)
        return loose_number(value)


def loose_number(value: Any) -> float | None:
    """A number, or text that Python reads as one; None for anything else."""
    if isinstance(value, bool) or (isinstance(value, str) and "_" in value):  # Python would take `1_000` and True
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if math.isnan(number) else number


def shown(value: Any) -> str:
    """A value of a file in a sentence."""
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(shown(each) for each in values[:_SHOWN]) + (", ..." if len(values) > _SHOWN else "")


def _integer(text: str) -> int | None:
    return int(text) if _INTEGER.fullmatch(text) else None


def _number(text: str) -> float | None:
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None


def _boolean(text: str) -> str | None:
    return text if text in _BOOLEANS else None


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def _timestamp(text: str) -> datetime | None:
    try:
        return _aware(datetime.fromisoformat(text)) if _TIMESTAMP.fullmatch(text) else None
    except ValueError:
        return None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _same(text: str) -> str:
    return text


_FROM_TEXT: Mapping[str, Callable[[str], Any]] = {
    "boolean": _boolean,
    "integer": _integer,
    "number": _number,
    "string": _same,
    "date": _date,
    "timestamp": _timestamp,
}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


_FROM_VALUE: Mapping[str, Callable[[Any], Any]] = {
    "boolean": lambda value: str(value) if isinstance(value, bool) else None,
    "integer": lambda value: value if isinstance(value, int) and not isinstance(value, bool) else None,
    "number": lambda value: value if _is_number(value) and (isinstance(value, int) or math.isfinite(value)) else None,
    "string": lambda value: value if isinstance(value, str) else None,
    "date": lambda value: (
        _date(value)
        if isinstance(value, str)
        else value
        if isinstance(value, date) and not isinstance(value, datetime)
        else None
    ),
    "timestamp": lambda value: (
        _timestamp(value) if isinstance(value, str) else _aware(value) if isinstance(value, datetime) else None
    ),
}
