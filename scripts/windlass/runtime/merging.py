"""Puts the parts of a CSV, JSON lines or Parquet file together: one stream after the other, below one header."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

from .compressed import packed, unpacked
from .csv_dialect import LINES, Dialect
from .csv_header import BOM, Header, names_in
from .cutting import SEGMENT
from .errors import RuntimeStop
from .splitting import Source, kind_of, read_first


def merge(parts: Iterable[Source], made: AbstractContextManager[Any], name: str, dialect: Dialect) -> int:
    """Writes the records of all `parts`, in their order, to a file like `name`, and returns how many parts there were.

    The header is that of the first; one that differs is refused. A part that lacks its last line end gets one.
    """
    kind = kind_of(name)
    if kind == ".parquet":
        from .parquet_parts import merge_parquet

        return merge_parquet(_of_kind(parts, kind), made)
    number = 0
    with made as file, packed(file, name) as out:
        merged = _Merged(out)
        for number, part in enumerate(_of_kind(parts, kind), 1):
            with part.open() as raw, unpacked(raw, part.name) as inner:
                header = read_first(inner.read, part.name, dialect if kind == ".csv" else LINES)
                merged.begin(header, f"part {number} ({part.name})")
                merged.write(header.rest)
                while block := inner.read(SEGMENT):
                    merged.write(block)
        if not number:
            raise RuntimeStop("there are no parts to merge; the task before has produced none")
    return number


class _Merged:
    """What is written so far: its header, and whether it ends with a line end."""

    def __init__(self, out: Any) -> None:
        self._out, self._first, self._last = out, None, b""

    _first: Header | None

    def begin(self, header: Header, part: str) -> None:
        """Writes the first header; RuntimeStop for a later one with other names."""
        if self._first is None:
            self._first = header
            self._put(header.record)
            if header.record == BOM:  # which no line end has to follow
                self._last = b""
        elif header.names != self._first.names:
            raise RuntimeStop(
                f"{part} has the header {_shown(header.record)} instead of {_shown(self._first.record)}; "
                "only files with the same header can be merged"
            )
        self._ending = b"\r\n" if header.record.endswith(b"\r\n") else b"\n"
        self._is_new = True

    def write(self, data: bytes) -> None:
        """Writes bytes of the part that has begun."""
        if not data:
            return
        if self._is_new and self._last not in (b"", b"\n"):
            self._put(self._ending)
        self._is_new = False
        self._put(data)

    def _put(self, data: bytes) -> None:
        self._out.write(data)
        self._last = data[-1:] or self._last


def _of_kind(parts: Iterable[Source], kind: str) -> Iterable[Source]:
    for number, part in enumerate(parts, 1):
        if kind_of(part.name) != kind:
            raise RuntimeStop(f"part {number} ({part.name}) is no {kind} file; parts are merged into what they are")
        yield part


def _shown(header: bytes) -> str:
    text = names_in(header).decode("utf-8", "replace")
    return repr(text if len(text) <= 80 else text[:77] + "...")
