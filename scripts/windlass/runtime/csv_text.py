"""CSV files as bytes: whole records, cut into parts and put together again without changing one byte of them."""

import csv
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .errors import RuntimeStop

LONGEST_RECORD = 64 * 1024 * 1024
BOM = b"\xef\xbb\xbf"
_OTHER_ENCODINGS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_OPENING = re.compile(rb'[,;\t|]"')
_SIZE = re.compile(r"([1-9][0-9]{0,6})(Ki|Mi|Gi)")
_UNITS = {"Ki": 1024, "Mi": 1024**2, "Gi": 1024**3}


@dataclass(frozen=True)
class Cut:
    """Where a part ends: after `rows` records, before it is larger than `size` bytes, or so that there are `parts`."""

    rows: int | None = None
    size: int | None = None
    parts: int | None = None


def parse_size(text: str) -> int:
    """The bytes that `64Mi` or `2Gi` are; ValueError for anything else."""
    match = _SIZE.fullmatch(text)
    if not match:
        raise ValueError(f"{text!r} is not a size; write it like '512Ki', '64Mi' or '2Gi'")
    return int(match[1]) * _UNITS[match[2]]


def records(file: BinaryIO, name: str) -> Iterator[bytes]:
    """Each record of the file with its line end, the header first; a line end inside quotes does not end a record.

    A quote opens a field only at the field's beginning, and `""` inside is a quote. Memory holds one record, which must
    not be longer than `LONGEST_RECORD`.
    """
    lines: list[bytes] = []
    number, length, is_open = 1, 0, False
    while line := file.readline(LONGEST_RECORD + 1):
        at_start = not lines
        if number == 1 and at_start:
            _check_beginning(line, name)
        lines.append(line)
        length += len(line)
        if length > LONGEST_RECORD:
            raise RuntimeStop(f"{name}: record {number} is longer than {LONGEST_RECORD >> 20} MiB; is a quote missing?")
        if b'"' in line:
            is_open = _is_open_after(line, is_open, at_start=at_start, has_bom=number == 1 and at_start)
        if not is_open:
            yield line if at_start else b"".join(lines)
            number, lines, length = number + 1, [], 0
    if is_open:
        raise RuntimeStop(f"{name}: record {number} begins a quoted field that never ends; is a quote missing?")


def header(path: Path) -> list[str]:
    """The names in the first record of a CSV file in UTF-8; an empty file is refused."""
    with path.open("rb") as file:
        record = next(records(file, path.name), b"")
    try:
        names = next(csv.reader([_names(record).decode()]), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise RuntimeStop(f"{path.name}: the header cannot be read: {error}") from error
    if not names:
        raise RuntimeStop(f"{path.name} has no header; its first line must name the columns")
    return names


def split(source: Path, cut: Cut, folder: Path, name: str) -> Iterator[Path]:
    """Writes the parts of `source` into `folder`, each with the header, and yields each when it is complete.

    A file without rows makes one part. The caller may remove a part before it asks for the next.
    """
    stem, dot, extension = name.partition(".")
    with source.open("rb") as file:
        found = records(file, source.name)
        header = next(found, b"")
        size = max(source.stat().st_size - len(header), 1)
        part, done, waiting = 0, 0, next(found, None)
        while waiting is not None or part == 0:
            path = folder / f"{stem}-{part:05d}{dot}{extension}"
            with path.open("wb") as target:
                target.write(header)
                rows = written = 0
                while waiting is not None and not (rows and _is_full(cut, rows, written, len(header), len(waiting))):
                    target.write(waiting)
                    rows, written, done = rows + 1, written + len(waiting), done + len(waiting)
                    waiting = next(found, None)
                    if cut.parts and done * cut.parts >= (part + 1) * size:
                        break
            yield path
            part += 1


def merge(parts: Iterable[Path], target: Path) -> None:
    """Writes the records of all `parts` in their order below one header, that of the first; all must be the same."""
    first, is_complete = None, True
    with target.open("wb") as merged:
        for number, path in enumerate(parts, 1):
            with path.open("rb") as file:
                header = next(records(file, path.name), b"")
                file.seek(len(header))
                if first is None:
                    first = header
                    merged.write(header)
                    is_complete = header.endswith(b"\n")
                elif _names(header) != _names(first):
                    raise RuntimeStop(
                        f"part {number} ({path.name}) has the header {_shown(header)} instead of {_shown(first)}; "
                        "only files with the same header can be merged"
                    )
                if path.stat().st_size > len(header):
                    if not is_complete:
                        merged.write(b"\r\n" if header.endswith(b"\r\n") else b"\n")
                    shutil.copyfileobj(file, merged, 1024 * 1024)
                    is_complete = _ends_with_newline(file)
    if first is None:
        raise RuntimeStop("there are no parts to merge; the task before has produced none")


def _is_full(cut: Cut, rows: int, written: int, header: int, following: int) -> bool:
    return bool(cut.rows and rows >= cut.rows) or bool(cut.size and header + written + following > cut.size)


def _is_open_after(line: bytes, is_open: bool, *, at_start: bool, has_bom: bool) -> bool:
    """Whether a quoted field goes on after `line`."""
    at = len(BOM) if has_bom and line.startswith(BOM) else 0
    if not is_open and at_start and line[at : at + 1] == b'"':
        is_open, at = True, at + 1
    while True:
        if is_open:
            at = line.find(b'"', at)
            if at < 0:
                return True
            is_open = line[at + 1 : at + 2] == b'"'
            at += 2 if is_open else 1
        else:
            opening = _OPENING.search(line, at)
            if opening is None:
                return False
            is_open, at = True, opening.end()


def _check_beginning(line: bytes, name: str) -> None:
    if line.startswith(_OTHER_ENCODINGS) or b"\0" in line[:4096]:
        raise RuntimeStop(f"{name} is not text in UTF-8 or another encoding that keeps ASCII; convert it first")
    if b"\r" in line.rstrip(b"\r\n") and b'"' not in line:
        raise RuntimeStop(f"{name} ends its lines with a carriage return alone; write them with \\n or \\r\\n")


def _names(header: bytes) -> bytes:
    return header.removeprefix(BOM).rstrip(b"\r\n")


def _shown(header: bytes) -> str:
    text = _names(header).decode("utf-8", "replace")
    return repr(text if len(text) <= 80 else text[:77] + "...")


def _ends_with_newline(file: BinaryIO) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
