"""The rows of a CSV, Parquet or JSON lines file, one after the other."""

import csv
import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Any, AnyStr

from .compressed import need_arrow
from .errors import RuntimeStop
from .parquet_values import python_values

LONGEST_FIELD = 64 * 1024 * 1024


def read_rows(path: Path) -> tuple[list[str], Iterator[list[Any]]]:
    """The columns of a file, and its rows; an empty field of CSV is None, and so is a key that a JSON line lacks."""
    from .tables import format_of

    ending = format_of(path.name)
    return {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}[ending](path)


def _csv(path: Path) -> tuple[list[str], Iterator[list[Any]]]:
    from .csv_text import header

    return header(path), _csv_rows(path)


def _csv_rows(path: Path) -> Iterator[list[Any]]:
    csv.field_size_limit(LONGEST_FIELD)
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(_lines(file, path.name))
        try:
            is_alone = len(next(reader, [])) == 1
            for row in reader:
                if row or is_alone:  # a blank line is no row, but the null of an only column
                    yield [field if field != "" else None for field in row or [""]]
        except UnicodeDecodeError as error:
            raise RuntimeStop(f"{path.name} is not UTF-8 text, somewhere after line {reader.line_num}") from error
        except csv.Error as error:
            raise RuntimeStop(f"{path.name}, line {reader.line_num}: {error}") from error


def _lines(file: IO[AnyStr], name: str) -> Iterator[AnyStr]:
    """The lines of a file; one that would fill the memory is refused."""
    number = 0
    while line := file.readline(LONGEST_FIELD + 1):
        number += 1
        if len(line) > LONGEST_FIELD:
            raise RuntimeStop(f"{name}: line {number} is longer than {LONGEST_FIELD >> 20} MiB")
        yield line


def _jsonl(path: Path) -> tuple[list[str], Iterator[list[Any]]]:
    first = next(_objects(path), {})
    columns = list(first)
    return columns, (_ordered(columns, row, number, path.name) for number, row in enumerate(_objects(path), 1))


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(_lines(file, path.name), 1):
            try:
                value = json.loads(line) if line.strip() else {}
            except (ValueError, RecursionError) as error:
                raise RuntimeStop(f"{path.name}, line {number}: {error}") from error
            if not isinstance(value, dict):
                raise RuntimeStop(f"{path.name}, line {number} is no JSON object")
            if line.strip():
                yield value


def _ordered(columns: list[str], row: dict[str, Any], number: int, name: str) -> list[Any]:
    unknown = [key for key in row if key not in columns]
    if unknown:
        raise RuntimeStop(f"{name}, row {number} has {unknown[0]!r}, which the first row lacks")
    return [row.get(column) for column in columns]


def _parquet(path: Path) -> tuple[list[str], Iterator[list[Any]]]:
    from .tables import read_batches

    batches = read_batches(path)
    first = next(batches)
    return first.schema.names, _parquet_rows(first, batches)


def _parquet_rows(first: Any, batches: Iterator[Any]) -> Iterator[list[Any]]:
    arrow, number = need_arrow("a Parquet file"), 1
    for batch in chain([first], batches):
        named = zip(batch.schema.names, batch.columns, strict=True)
        columns = [python_values(arrow, column, name, number) for name, column in named]
        number += batch.num_rows
        yield from map(list, zip(*columns, strict=True))
