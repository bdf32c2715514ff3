"""What the rows of a file must be like; the first one that is not is named by its number and column."""

import os
import sqlite3
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .errors import RuntimeStop
from .values import Column, shown

_KNOWN = 1000
"""So many values of a column are remembered as good, if they are not longer than that."""


@dataclass(frozen=True)
class Checks:
    """What to check; columns are named as the file's header does.

    `order` are all columns in their order. `rows` bounds their number. Without `extra`, `columns` are all that there
    may be. A row with an empty field in `unique` is not compared, as in SQL; all others are, as they are written.
    """

    rows: Column | None = None
    order: Sequence[str] | None = None
    columns: Mapping[str, Column] = field(default_factory=dict)
    unique: Sequence[str] = ()
    extra: bool = True

    @property
    def named(self) -> list[str]:
        """The columns whose values are looked at."""
        return list(dict.fromkeys((*self.columns, *self.unique)))


def data_checks(
    rows: Mapping[str, Any] | None = None,
    columns: Sequence[str] | None = None,
    not_null: Sequence[str] | None = None,
    ranges: Mapping[str, Mapping[str, Any]] | None = None,
    unique: Sequence[str] | None = None,
) -> Checks:
    """The checks that the operator `check_data` is asked for; ValueError where bounds are of two kinds."""
    full, within = not_null or (), ranges or {}
    rules = {name: Column(nulls=name not in full, **within.get(name, {})) for name in (*full, *within)}
    return Checks(Column(**rows) if rows else None, columns, rules, unique or ())


def check_rows(checks: Checks, columns: Sequence[str], rows: Iterable[Sequence[Any]], folder: Path) -> int:
    """Reads all rows of a file and returns their number; RuntimeStop names the first that breaks a rule."""
    with RowCheck(checks, folder) as check:
        check.check_header(columns)
        check.check(columns, rows, is_text=False)
        return check.end()


class RowCheck:
    """Checks the rows of a file, or of several that are one list, as they come; `count` is how many there were.

    What has to be unique is remembered in a file in `folder`, so that memory does not grow with the rows.
    """

    def __init__(self, checks: Checks, folder: Path) -> None:
        self.checks, self.count = checks, 0
        self._folder, self._seen = folder, None

    _seen: "_Seen | None"

    def __enter__(self) -> "RowCheck":
        if self.checks.unique:
            self._seen = _Seen(self._folder)
        return self

    def __exit__(self, *_: object) -> None:
        if self._seen is not None:
            self._seen.close()

    def check_header(self, columns: Sequence[str]) -> None:
        """RuntimeStop where a file has not the columns that it must have."""
        if self.checks.order is not None and list(columns) != list(self.checks.order):
            raise RuntimeStop(f"the columns are {list(columns)}, not {list(self.checks.order)}")
        for name in self.checks.named:
            if name not in columns:
                raise RuntimeStop(f"there is no column {name!r} to check; the columns are {list(columns)}")
            if list(columns).count(name) > 1:
                raise RuntimeStop(f"there are several columns {name!r}; name each differently")
        if not self.checks.extra:
            self.check_keys(columns)

    def check_keys(self, columns: Iterable[str]) -> None:
        """RuntimeStop for a column that is none of those that there may be."""
        for name in columns:
            if name not in self.checks.columns:
                raise RuntimeStop(f"there is a column {name!r}, which is none of {list(self.checks.columns)}")

    def check(self, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, is_text: bool) -> None:
        """Reads all rows; RuntimeStop names the first that breaks a rule. An empty field is None."""
        rules = [(columns.index(name), name, column) for name, column in self.checks.columns.items()]
        places = [columns.index(name) for name in self.checks.unique]
        good: list[set[Any]] = [set() for _ in rules]
        for row in rows:
            self.count += 1
            if len(row) != len(columns):
                raise RuntimeStop(f"row {self.count} has {len(row)} fields, the header {len(columns)}")
            for (place, name, column), known in zip(rules, good, strict=True):
                value = row[place]
                if value is None:
                    if not column.nulls:
                        raise RuntimeStop(f"row {self.count}: column {name!r} is empty")
                elif not is_text or value not in known:
                    reason = column.why_not(value, is_text=is_text)
                    if reason:
                        raise RuntimeStop(f"row {self.count}: column {name!r} {reason}")
                    if is_text and len(known) < _KNOWN and len(value) < _KNOWN:
                        known.add(value)
            if places:
                self._check_unique([row[place] for place in places])

    def are_new(self, keys: Iterable[Sequence[Any]]) -> bool:
        """Notes the next rows' values of `unique`; False where one was there before, which `check` then finds."""
        assert self._seen is not None
        return self._seen.add_all(keys, self.count + 1)

    def end(self) -> int:
        """The number of rows; RuntimeStop where it is too small or too large."""
        reason = self.checks.rows.why_not(self.count, is_text=False) if self.checks.rows else None
        if reason:
            raise RuntimeStop(f"the number of rows {reason}")
        return self.count

    def _check_unique(self, key: list[Any]) -> None:
        assert self._seen is not None
        first = self.count if None in key else self._seen.add(key, self.count)
        if first != self.count:
            what = ", ".join(f"{name} {shown(value)}" for name, value in zip(self.checks.unique, key, strict=True))
            raise RuntimeStop(f"row {self.count} has the same {what} as row {first}")


class _Seen:
    """Keys and the row in which each was seen first, in a file that is gone afterwards."""

    def __init__(self, folder: Path) -> None:
        descriptor, path = tempfile.mkstemp(dir=folder)
        os.close(descriptor)
        self._path = Path(path)
        self._database = sqlite3.connect(self._path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._database.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, number INTEGER) WITHOUT ROWID")
        self._database.execute("BEGIN")

    def add(self, key: Sequence[Any], number: int) -> int:
        """The row in which the key was first: `number` itself where it is new."""
        text = _text(key)
        try:
            if self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (text, number)).rowcount:
                return number
            return int(self._database.execute("SELECT number FROM seen WHERE key = ?", (text,)).fetchone()[0])
        except sqlite3.Error as error:
            raise self._full(error) from error

    def add_all(self, keys: Iterable[Sequence[Any]], number: int) -> bool:
        """Adds keys of rows from `number` on, without those that have a None; whether all of them are new."""
        wanted = [(_text(key), at) for at, key in enumerate(keys, number) if None not in key]
        try:
            added = self._database.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", wanted).rowcount
        except sqlite3.Error as error:
            raise self._full(error) from error
        return added == len(wanted)

    def _full(self, error: sqlite3.Error) -> RuntimeStop:
        return RuntimeStop(f"what is unique cannot be remembered in {self._path.parent}: {error}; is the disk full?")

    def close(self) -> None:
        self._database.close()
        self._path.unlink()


def _text(key: Sequence[Any]) -> str:
    return repr(list(key))
