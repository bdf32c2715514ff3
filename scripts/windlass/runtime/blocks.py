"""The rows of a CSV, JSON lines or Parquet file in blocks of a few MiB: memory does not grow with the file."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from .checks import RowCheck
from .compressed import need_arrow, unpacked
from .csv_dialect import LINES, Broken, Dialect, goes_on
from .csv_header import BOM, LONGEST_RECORD, read_header, read_mark
from .cutting import segments
from .errors import RuntimeStop
from .parquet_values import in_microseconds, python_values, refused
from .screen import is_surely_good
from .splitting import Source, kind_of

BLOCK = 4 * 1024 * 1024
_ROWS = 65536


class Block(Protocol):
    """Some rows of a file."""

    def is_surely_good(self, check: RowCheck) -> bool:
        """Whether all rows keep the rules, as far as can be said fast; the rows are counted then."""

    def check_each(self, check: RowCheck) -> None:
        """Looks at one row after the other; RuntimeStop names the first that breaks a rule."""


def blocks_of(source: Source, check: RowCheck, folder: Path) -> Iterator[Block]:
    """The blocks of a file whose columns are those that there must be; `folder` takes what cannot be streamed."""
    try:
        kind = kind_of(source.name)
    except ValueError as error:
        raise RuntimeStop(f"its rows cannot be checked: {error}") from error
    if kind == ".parquet":
        yield from _parquet_blocks(source, check, folder)
        return
    with source.open() as raw, unpacked(raw, source.name) as file:
        if kind == ".jsonl":
            for data in _whole_records(read_mark(file.read, source.name).rest, file.read, LINES):
                yield _Lines(data)
            return
        header = read_header(file.read, source.name, Dialect())
        dialect = replace(header.dialect, delimiter=header.dialect.delimiter or b",")
        columns = _names(header.names, dialect)
        check.check_header(columns)
        for data in _whole_records(header.rest, file.read, dialect):
            yield _Csv(data, columns, dialect)


def _names(record: bytes, dialect: Dialect) -> list[str]:
    try:
        names = next(_reader(io.StringIO(record.decode(), newline=""), dialect), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise RuntimeStop(f"the header cannot be read: {error}") from error
    if not names:
        raise RuntimeStop("there is no header; the first line must name the columns")
    return names


def _reader(file: Any, dialect: Dialect) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_RECORD)
    return csv.reader(file, delimiter=(dialect.delimiter or b",").decode())


def _whole_records(rest: bytes, read: Callable[[int], bytes], dialect: Dialect) -> Iterator[bytes]:
    """The file in pieces that end where a record ends."""
    waiting: list[bytes] = []
    length, is_open = 0, False
    try:
        for segment in segments(rest, read, dialect):
            is_open = goes_on(segment, dialect, is_open)
            waiting.append(segment)
            length += len(segment)
            if length >= BLOCK and not is_open:
                yield b"".join(waiting)
                waiting, length = [], 0
            elif length > BLOCK + LONGEST_RECORD:
                raise Broken(f"a record is longer than {LONGEST_RECORD >> 20} MiB; is a quote missing?")
    except Broken as error:
        raise RuntimeStop(str(error)) from None
    if is_open:
        raise RuntimeStop("the last record begins a quoted field that never ends; is a quote missing?")
    if waiting:
        yield b"".join(waiting)


@dataclass(frozen=True)
class _Csv:
    data: bytes
    columns: Sequence[str]
    dialect: Dialect

    def is_surely_good(self, check: RowCheck) -> bool:
        """See Block."""
        arrow = _arrow()
        if arrow is None or self.data.startswith(BOM):  # which pyarrow takes away from any block, not of a file alone
            return False
        wanted = [self.columns.index(name) for name in check.checks.named] or [0]
        try:
            if not self.data.isascii():
                self.data.decode()
            table = arrow.csv.read_csv(
                arrow.BufferReader(self.data),
                arrow.csv.ReadOptions(
                    column_names=[str(place) for place in range(len(self.columns))], block_size=2 * len(self.data) + 2
                ),
                arrow.csv.ParseOptions(
                    delimiter=(self.dialect.delimiter or b",").decode(),
                    newlines_in_values=True,
                    # a blank line is no row, but the null of an only column
                    ignore_empty_lines=len(self.columns) > 1,
                ),
                arrow.csv.ConvertOptions(
                    include_columns=[str(place) for place in wanted],
                    column_types={str(place): arrow.string() for place in wanted},
                    null_values=[""],
                    strings_can_be_null=True,
                ),
            )
        except (arrow.ArrowException, UnicodeDecodeError):
            return False
        values = dict(zip(check.checks.named, table.columns, strict=False))
        return is_surely_good(arrow, check, values, table.num_rows, is_text=True)

    def check_each(self, check: RowCheck) -> None:
        """See Block."""
        check.check(self.columns, self._rows(check), is_text=True)

    def _rows(self, check: RowCheck) -> Iterator[list[str | None]]:
        text = self.data.decode(errors="surrogateescape")
        is_broken, is_alone = _has_surrogates(text), len(self.columns) == 1
        try:
            for row in _reader(io.StringIO(text, newline=""), self.dialect):
                if is_broken and any(map(_has_surrogates, row)):
                    raise RuntimeStop(f"row {check.count + 1} is not UTF-8 text")
                if "" in row:
                    yield [field or None for field in row]
                elif row:
                    yield list(row)
                elif is_alone:
                    yield [None]
        except csv.Error as error:
            raise RuntimeStop(f"row {check.count + 1}: {error}") from error


@dataclass(frozen=True)
class _Lines:
    data: bytes

    def is_surely_good(self, check: RowCheck) -> bool:
        """See Block: each line is looked at."""
        return False

    def check_each(self, check: RowCheck) -> None:
        """See Block; a key that a line lacks is null."""
        columns = check.checks.named
        check.check(columns, self._rows(columns, check), is_text=False)

    def _rows(self, columns: Sequence[str], check: RowCheck) -> Iterator[list[Any]]:
        for line in self.data.split(b"\n"):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise RuntimeStop(f"row {check.count + 1} is no JSON: {error}") from error
            if not isinstance(value, dict):
                raise RuntimeStop(f"row {check.count + 1} is no JSON object")
            if not check.checks.extra:
                extra = next((key for key in value if key not in check.checks.columns), None)
                if extra is not None:
                    raise RuntimeStop(f"row {check.count + 1}: there is no column {extra!r} among {columns}")
            yield [value.get(name) for name in columns]


@dataclass(frozen=True)
class _Batch:
    batch: Any

    def is_surely_good(self, check: RowCheck) -> bool:
        """See Block."""
        arrow = _arrow()
        exact = [in_microseconds(arrow, column) for column in self.batch.columns]
        if any(column is None for column in exact):
            return False
        values = dict(zip(self.batch.schema.names, exact, strict=True))
        return is_surely_good(arrow, check, values, self.batch.num_rows, is_text=False)

    def check_each(self, check: RowCheck) -> None:
        """See Block."""
        named = zip(self.batch.schema.names, self.batch.columns, strict=True)
        columns = [python_values(_arrow(), column, name, check.count + 1) for name, column in named]
        check.check(self.batch.schema.names, zip(*columns, strict=True), is_text=False)


def _parquet_blocks(source: Source, check: RowCheck, folder: Path) -> Iterator[Block]:
    need_arrow(source.name)
    arrow = _arrow()
    path = getattr(source, "path", None) or _fetched(source, folder)
    with refused(arrow, "it cannot be read"), arrow.parquet.ParquetFile(path) as file:
        check.check_header(file.schema_arrow.names)
        if not check.checks.named:
            check.count += file.metadata.num_rows
            return
        for batch in file.iter_batches(batch_size=_ROWS, columns=check.checks.named):
            yield _Batch(batch)


def _fetched(source: Source, folder: Path) -> Path:
    path = folder / f"checked-{source.name}"
    with source.open() as file, path.open("wb") as target:
        while data := file.read(BLOCK):
            target.write(data)
    return path


def _has_surrogates(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


@cache
def _arrow() -> Any:
    """pyarrow; None where it is not there."""
    import importlib

    try:
        arrow = importlib.import_module("pyarrow")
        for name in ("compute", "csv", "parquet"):
            importlib.import_module(f"pyarrow.{name}")
    except ImportError:
        return None
    return arrow
