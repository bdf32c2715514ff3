"""What a CSV file's header names, and how its parts are measured."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .csv_dialect import Dialect, record_ends
from .csv_header import read_header
from .errors import RuntimeStop

_SIZE = re.compile(r"([1-9][0-9]{0,6})(Ki|Mi|Gi)")
_UNITS = {"Ki": 1024, "Mi": 1024**2, "Gi": 1024**3}


@dataclass(frozen=True)
class Cut:
    """Where a part ends: after `rows` records, before it is larger than `size` bytes, or so that there are `parts`."""

    rows: int | None = None
    size: int | None = None
    parts: int | None = None


def cut_of(who: str, rows: int | None = None, size: str | None = None, parts: int | None = None) -> Cut:
    """The one measure that is given; ValueError for none, several, or one that is no positive number."""
    if sum(value is not None for value in (rows, size, parts)) != 1:
        raise ValueError(f"{who} needs exactly one of rows, size and parts")
    if any(value is not None and value < 1 for value in (rows, parts)):
        raise ValueError(f"{who}: rows and parts must be at least 1")
    return Cut(rows, None if size is None else parse_size(size), parts)


def parse_size(text: str) -> int:
    """The bytes that `64Mi` or `2Gi` are; ValueError for anything else."""
    match = _SIZE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a size; write it like '512Ki', '64Mi' or '2Gi'")
    return int(match[1]) * _UNITS[match[2]]


def header(path: Path) -> list[str]:
    """The names in the first record of a CSV file in UTF-8, with commas between them; an empty file is refused."""
    with path.open("rb") as file:
        record = read_header(file.read, path.name, Dialect(delimiter=b",")).names
    try:
        names = next(csv.reader([record.decode()]), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise RuntimeStop(f"{path.name}: the header cannot be read: {error}") from error
    if not names:
        raise RuntimeStop(f"{path.name} has no header; its first line must name the columns")
    return names


def records(file: BinaryIO, name: str) -> Iterator[bytes]:
    """Each record of a CSV file with commas, with its line end, the header first; memory holds one of them."""
    from .cutting import segments

    dialect = Dialect(delimiter=b",")
    header = read_header(file.read, name, dialect)
    if header.record:
        yield header.record
    begun, is_open = b"", False
    for segment in segments(header.rest, file.read, dialect):
        ends, is_open = record_ends(segment, dialect, is_open)
        at = 0
        for end in ends:
            yield begun + segment[at:end]
            begun, at = b"", end
        begun += segment[at:]
    if is_open:
        raise RuntimeStop(f"{name}: the last record begins a quoted field that never ends; is a quote missing?")
    if begun:
        yield begun
