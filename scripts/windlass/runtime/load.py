"""Brings a CSV file into a table, in the transaction that is given: all of its rows or none."""

import mmap
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .csv_text import header, records
from .errors import RuntimeStop
from .postgres import Database

MODES = ("append", "replace", "upsert")
_END_MARK = re.compile(rb"^\\\.\r?$", re.M)


def check_header(found: list[str], columns: Sequence[str] | None, keys: Sequence[str]) -> None:
    """RuntimeStop when the header is not `columns`, where they are given, or does not hold all keys, or not once."""
    if columns is not None and found != list(columns):
        raise RuntimeStop(f"the file has the columns {found}, not {list(columns)}; correct the file or columns")
    if not all(found) or len(set(found)) < len(found):
        raise RuntimeStop(f"the file's header {found} must name each column once")
    missing = [key for key in keys if key not in found]
    if missing:
        raise RuntimeStop(f"the file lacks the key {missing[0]!r}; it has {found}")


def load(database: Database, path: Path, table: str, mode: str, keys: Sequence[str] = ()) -> int:
    """Brings the rows in by way of a temporary table and returns how many were added or replaced."""
    names = {"table": tuple(table.split(".")), "columns": header(path), "load": "windlass_load"}
    make = "CREATE TEMPORARY TABLE {load} ON COMMIT DROP AS SELECT {columns} FROM {table} WITH NO DATA"
    database.execute(database.statement(make, **names))
    copy = "COPY pg_temp.{load} ({columns}) FROM STDIN WITH (FORMAT csv, HEADER, ENCODING 'UTF8')"
    # a byte order mark goes with the header
    database.copy_in(database.statement(copy, **names), _without_end_marks(path))
    if mode == "replace":
        database.execute(database.statement("TRUNCATE {table}", **names))
    return database.execute(_insert(database, names, keys))


def _without_end_marks(path: Path) -> Path:
    r"""The file itself, or a copy with each record `\.` in quotes: COPY before PostgreSQL 18 ends at it."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if not _END_MARK.search(content):
            return path
    quoted = path.with_name(f"{path.name}.quoted")
    with path.open("rb") as file, quoted.open("wb") as target:
        for record in records(file, path.name):
            is_mark = record.rstrip(b"\r\n") == rb"\."
            target.write(record.replace(rb"\.", rb'"\."') if is_mark else record)
    return quoted


def _insert(database: Database, names: dict[str, Any], keys: Sequence[str]) -> Any:
    text = "INSERT INTO {table} ({columns}) SELECT {columns} FROM pg_temp.{load}"
    if keys:
        others = [name for name in names["columns"] if name not in keys]
        names = names | {"keys": list(keys)} | {f"column{i}": name for i, name in enumerate(others)}
        changes = ", ".join(f"{{column{i}}} = EXCLUDED.{{column{i}}}" for i in range(len(others)))
        text += " ON CONFLICT ({keys}) DO " + (f"UPDATE SET {changes}" if others else "NOTHING")
    return database.statement(text, **names)
