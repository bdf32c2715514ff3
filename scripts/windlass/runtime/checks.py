"""What the rows of a file must be like; the first one that is not is named by its number and column."""

import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import RuntimeStop


@dataclass(frozen=True)
class Bounds:
    """The least and the most that may be; None is no bound."""

    at_least: Any = None
    at_most: Any = None

    def __post_init__(self) -> None:
        kinds = {isinstance(bound, str) for bound in (self.at_least, self.at_most) if bound is not None}
        if len(kinds) != 1:
            raise ValueError("bounds are at_least and at_most, one or both, either numbers or text")

    def why_not(self, value: Any) -> str | None:
        """What is wrong with `value`, if anything."""
        compared = str(value) if isinstance(self.at_least or self.at_most, str) else _number(value)
        if compared is None:
            return f"is {_shown(value)}, which is no number"
        if self.at_least is not None and not compared >= self.at_least:
            return f"is {_shown(value)}, less than {self.at_least}"
        if self.at_most is not None and not compared <= self.at_most:
            return f"is {_shown(value)}, more than {self.at_most}"
        return None


@dataclass(frozen=True)
class Checks:
    """What to check; columns are named as the file's header does.

    An empty field satisfies `ranges`, and a row with an empty field in `unique` is not compared, as in SQL.
    """

    rows: Bounds | None = None
    columns: Sequence[str] | None = None
    not_null: Sequence[str] = ()
    ranges: Mapping[str, Bounds] = field(default_factory=dict)
    unique: Sequence[str] = ()


def check_rows(checks: Checks, columns: list[str], rows: Iterator[list[Any]], folder: Path) -> int:
    """Reads all rows and returns their number; RuntimeStop names the first that breaks a rule.

    What has to be unique is remembered in a file in `folder`, so that memory does not grow with the rows.
    """
    if checks.columns is not None and columns != list(checks.columns):
        raise RuntimeStop(f"the columns are {columns}, not {list(checks.columns)}")
    places = {name: _place(columns, name) for name in (*checks.not_null, *checks.ranges, *checks.unique)}
    number = 0
    with closing(_Seen(folder)) as seen:
        for number, row in enumerate(rows, 1):
            if len(row) != len(columns):
                raise RuntimeStop(f"row {number} has {len(row)} fields, the header {len(columns)}")
            for name in checks.not_null:
                if row[places[name]] is None:
                    raise RuntimeStop(f"row {number}: column {name!r} is empty")
            for name, bounds in checks.ranges.items():
                value = row[places[name]]
                reason = None if value is None else bounds.why_not(value)
                if reason:
                    raise RuntimeStop(f"row {number}: column {name!r} {reason}")
            key = [row[places[name]] for name in checks.unique]
            if key and None not in key:
                first = seen.add(key, number)
                if first != number:
                    what = ", ".join(f"{name} {_shown(value)}" for name, value in zip(checks.unique, key, strict=True))
                    raise RuntimeStop(f"row {number} has the same {what} as row {first}")
    reason = checks.rows.why_not(number) if checks.rows else None
    if reason:
        raise RuntimeStop(f"the number of rows {reason}")
    return number


class _Seen:
    """Keys and the row in which each was seen first, in a file that is gone afterwards."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "seen.sqlite"
        self._database = sqlite3.connect(self._path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def add(self, key: list[Any], number: int) -> int:
        text = repr(key)
        if self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (text, number)).rowcount:
            return number
        return int(self._database.execute("SELECT number FROM seen WHERE key = ?", (text,)).fetchone()[0])

    def close(self) -> None:
        self._database.close()
        self._path.unlink()


def _place(columns: list[str], name: str) -> int:
    if name not in columns:
        raise RuntimeStop(f"there is no column {name!r} to check; the columns are {columns}")
    return columns.index(name)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return None if math.isnan(number) else number


def _shown(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
