"""The values of pyarrow's columns as Python has them: what it cannot hold is text, or refused by its row."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from .errors import RuntimeStop


class Nanoseconds(datetime):
    """A moment whose text has the nanoseconds that Python's moments lack."""

    text = ""

    @classmethod
    def of(cls, moment: datetime, text: str) -> "Nanoseconds":
        """The moment with its whole text."""
        made = cls.combine(moment.date(), moment.timetz())
        made.text = text
        return made

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


def in_microseconds(arrow: Any, column: Any) -> Any:
    """A column without nanoseconds, which Python's moments do not have; None where that would change a value."""
    wanted = _micro(arrow, column.type)
    if wanted is None:
        return column
    try:
        return column.cast(wanted)
    except arrow.ArrowInvalid:
        return None


def python_values(arrow: Any, column: Any, name: str, first: int) -> list[Any]:
    """The values of a column whose first row is number `first`; a time of day with nanoseconds is its text."""
    try:
        exact = in_microseconds(arrow, column)
        if exact is not None:
            return list(exact.to_pylist())
        rough = column.cast(_micro(arrow, column.type), safe=False)
        plain = column.cast(arrow.timestamp("ns")) if getattr(column.type, "tz", None) else column
        changed = arrow.compute.not_equal(rough.cast(column.type), column).to_pylist()
        values = zip(rough.to_pylist(), plain.cast(arrow.string()).to_pylist(), changed, strict=True)
        return [_exact(value, text) if is_other else value for value, text, is_other in values]
    except (ValueError, OverflowError, arrow.ArrowException) as error:
        raise RuntimeStop(
            f"row {first + _unreadable(column)}: column {name!r} cannot be read: {str(error).splitlines()[0][:200]}"
        ) from error


@contextmanager
def refused(arrow: Any, sentence: str) -> Iterator[None]:
    """Adds what pyarrow says of bytes that are no such file to a sentence; errors of disks and streams go on."""
    try:
        yield
    except (OSError, arrow.ArrowException) as error:  # OSError is what damaged pages are for it
        if getattr(error, "errno", None) is not None:
            raise
        raise RuntimeStop(f"{sentence}: {(str(error).splitlines() or [''])[0][:300]}") from error


def _exact(value: Any, text: str) -> Any:
    return Nanoseconds.of(value, text) if isinstance(value, datetime) else text


def _micro(arrow: Any, found: Any) -> Any:
    types = arrow.types
    if types.is_timestamp(found) and found.unit == "ns":
        return arrow.timestamp("us", found.tz)
    if types.is_duration(found) and found.unit == "ns":
        return arrow.duration("us")
    return arrow.time64("us") if types.is_time64(found) and found.unit == "ns" else None


def _unreadable(column: Any) -> int:
    """The place of the first value that Python cannot hold."""
    for place, value in enumerate(column):
        try:
            value.as_py()
        except (ValueError, OverflowError):
            return place
    return 0
