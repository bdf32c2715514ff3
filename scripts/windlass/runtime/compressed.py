"""Files that end with .gz or .zst, read and written as what is inside them; gzip is Python's own, zstd is pyarrow's."""

import gzip
import importlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from .errors import RuntimeStop

COMPRESSIONS = (".gz", ".zst")
_LEVEL = 3
"""Of gzip: twice as fast as its default, and the files are a little larger."""


def compression_of(name: str) -> str:
    """`.gz`, `.zst`, or nothing where the name has neither ending."""
    return next((ending for ending in COMPRESSIONS if name.endswith(ending)), "")


@contextmanager
def unpacked(file: BinaryIO, name: str) -> Iterator[Any]:
    """A stream of what is inside `file`; one that is cut off or damaged ends in a sentence."""
    ending = compression_of(name)
    seen: Any = _Seen(file)
    try:
        if ending == ".gz":
            with gzip.GzipFile(fileobj=seen, mode="rb") as inner:
                yield inner
        elif ending == ".zst":
            arrow = need_arrow(name)
            with _translated(arrow, name), arrow.CompressedInputStream(read_by(arrow, seen), "zstd") as inner:
                yield inner
        else:
            yield file
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise RuntimeStop(f"{name} is no whole gzip file: {error}") from error
    if seen.is_empty:  # which both take for a file with nothing inside
        raise RuntimeStop(f"{name} has no bytes; packed, an empty file has some")


class _Seen:
    """A file that tells whether its end came before any byte."""

    is_empty = False

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._any = file, False

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._any = self._any or bool(data)
        self.is_empty = not self._any and size != 0
        return data


@contextmanager
def packed(file: Any, name: str) -> Iterator[Any]:
    """A stream that writes what is inside `file`: the same bytes for the same content."""
    ending = compression_of(name)
    if ending == ".gz":
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=_LEVEL, mtime=0) as inner:
            yield inner
    elif ending == ".zst":
        arrow = need_arrow(name)
        with arrow.CompressedOutputStream(written_by(arrow, file), "zstd") as inner:
            yield inner
    else:
        yield file


class _Open:
    """A file that stays open when pyarrow closes it: who opened it knows whether all went well."""

    closed = False

    def __init__(self, file: Any) -> None:
        self.read, self.write = getattr(file, "read", None), getattr(file, "write", None)

    def flush(self) -> None:
        """Whoever closes the file writes what waits."""

    def close(self) -> None:
        self.closed = True


def read_by(arrow: Any, file: Any) -> Any:
    """The file as pyarrow reads it."""
    return arrow.PythonFile(_Open(file), "r")


def written_by(arrow: Any, file: Any) -> Any:
    """The file as pyarrow writes it."""
    return arrow.PythonFile(_Open(file), "w")


def need_arrow(name: str) -> Any:
    """pyarrow, which reads this file."""
    try:
        arrow = importlib.import_module("pyarrow")
        importlib.import_module("pyarrow.compute")
        importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise RuntimeStop(f"{name} needs pyarrow, which is not here; install it: pip install pyarrow") from error
    return arrow


@contextmanager
def _translated(arrow: Any, name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # what pyarrow raises for bytes that are not zstd
        if error.errno is not None:
            raise
        raise RuntimeStop(f"{name} is no whole zstd file: {str(error).splitlines()[0]}") from error
