"""Cuts a CSV, JSON lines or Parquet file into parts: one pass from a stream to streams, with little of it in memory."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any, BinaryIO, Protocol

from .compressed import compression_of, packed, unpacked
from .counting_ahead import Ahead
from .csv_dialect import LINES, Broken, Dialect
from .csv_header import Header, read_header, read_mark
from .csv_text import Cut
from .cutting import SEGMENT, Slice, by_rows, slices
from .errors import RuntimeStop

KINDS = (".csv", ".jsonl", ".parquet")


class Source(Protocol):
    """A file that is read from its beginning, more than once if need be; `size` is its own, compressed or not."""

    @property
    def name(self) -> str:
        """The file's name, whose ending tells what it is."""

    @property
    def size(self) -> int:
        """In bytes."""

    def open(self) -> AbstractContextManager[BinaryIO]:
        """The file's bytes; leaving it is the end of reading."""


Create = Callable[[str], AbstractContextManager[Any]]
"""Makes a file of this name: what is written is kept when it is left well, and gone when it is left by an error."""
CountAhead = Callable[[int, Dialect], AbstractContextManager[Ahead | None]]
"""Counts the records behind so many bytes of the file, before they are read here, if it can."""


def kind_of(name: str) -> str:
    """`.csv`, `.jsonl` or `.parquet`; ValueError for another ending. `.gz` and `.zst` behind the first two are fine."""
    inner = name.removesuffix(compression_of(name))
    found = next((kind for kind in KINDS if inner.endswith(kind)), None)
    if found is None or (found == ".parquet" and inner != name):
        raise ValueError(f"{name!r} is none of {', '.join(KINDS)} (.gz and .zst may follow .csv and .jsonl)")
    return found


def part_name(name: str, number: int) -> str:
    """`orders-00000.csv.gz` is the first part of `orders.csv.gz`."""
    stem, dot, extension = name.partition(".")
    return f"{stem}-{number:05d}{dot}{extension}"


def split(
    source: Source,
    cut: Cut,
    name: str,
    create: Create,
    dialect: Dialect,
    most: int | None = None,
    count_ahead: CountAhead | None = None,
) -> int:
    """Cuts `source` into parts that are called after `name`, each with the header, and returns how many there are.

    A file without rows makes one part; more than `most` are refused. Only `rows` of plain text are counted ahead.
    """
    if kind_of(source.name) != kind_of(name):
        raise ValueError(f"{source.name!r} cannot be cut into parts like {name!r}: both must be of the same kind")

    def begin(number: int) -> AbstractContextManager[Any]:
        if most is not None and number >= most:
            raise RuntimeStop(f"{source.name} makes more than {most} parts; make them larger")
        return create(part_name(name, number))

    if kind_of(name) == ".parquet":
        from .parquet_parts import split_parquet

        return split_parquet(source, cut, begin)
    if not cut.rows or compression_of(source.name):
        count_ahead = None
    return _split_text(source, cut, begin, name, dialect if kind_of(name) == ".csv" else LINES, count_ahead)


def _split_text(
    source: Source,
    cut: Cut,
    begin: Callable[[int], AbstractContextManager[Any]],
    name: str,
    dialect: Dialect,
    count_ahead: CountAhead | None,
) -> int:
    size = inner_size(source) if cut.parts else 0
    with source.open() as file, unpacked(file, source.name) as inner:
        header = read_first(inner.read, source.name, dialect)
        start = len(header.record) + len(header.rest)
        part = -1
        with ExitStack() as parts, count_ahead(start, header.dialect) if count_ahead else nullcontext() as ahead:
            if ahead and cut.rows:
                pieces = ahead.segments(header.rest, inner.read, header.dialect)
                found = by_rows(pieces, header.dialect, cut.rows, ahead.count)
            else:
                found = slices(header.rest, inner.read, header.dialect, cut, len(header.record), size)
            for number, data in _named(found, source.name):
                while part < number:
                    parts.close()
                    part += 1
                    out = parts.enter_context(_part(begin(part), name, header.record))
                out.write(data)
            if part < 0:
                parts.enter_context(_part(begin(0), name, header.record))
                part = 0
    return part + 1


def inner_size(source: Source) -> int:
    """How many bytes are inside the file; a compressed one is read through for that."""
    if not compression_of(source.name):
        return source.size
    size = 0
    with source.open() as file, unpacked(file, source.name) as inner:
        while block := inner.read(SEGMENT):
            size += len(block)
    return size


def read_first(read: Callable[[int], bytes], name: str, dialect: Dialect) -> Header:
    """The header, of JSON lines at most a byte order mark, and what was read beyond it."""
    return read_mark(read, name) if dialect is LINES else read_header(read, name, dialect)


def _named(found: Iterator[Slice], name: str) -> Iterator[Slice]:
    try:
        yield from found
    except Broken as error:
        raise RuntimeStop(f"{name}: {error}") from None


@contextmanager
def _part(made: AbstractContextManager[Any], name: str, header: bytes) -> Iterator[Any]:
    """A part with its header, packed as its name says."""
    with made as file, packed(file, name) as inner:
        inner.write(header)
        yield inner
