"""Counts the records of a large file on this machine in other processes, ahead of the one that cuts it.

They count pieces of the file, and guess of each whether it begins inside a quoted field. Who cuts the file knows that,
and takes a count only where the guess was right and the piece is the very same bytes; else it counts itself. So a wrong
guess, or a process that dies, costs time and nothing else.
"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from typing import BinaryIO

from .csv_dialect import Broken, Dialect, count, seems_open
from .cutting import segments

LEAST = 64 * 1024 * 1024
"""Bytes of a file from which on other processes are worth their start."""
PIECE = 512 * 1024
"""Bytes that are read in one go."""
_LINE = 16 * 1024
"""Bytes before those, in which the line begins that they go on with; the counts of longer lines are not used."""
_AT_ONCE = 64 * 1024
"""Bytes that are counted in one go: what is made of them stays in the processor's cache."""
_KEPT = 16 * 1024 * 1024
"""Bytes that are asked for and given back once: from then on glibc keeps up to twice as much for pieces to come,
instead of a page fault for each page of each. It holds for the other processes too, and nothing is written there."""
_MOST = 4
_COUNTED = Struct("=QQQQ??")


@dataclass(frozen=True)
class Counted:
    """How many records end in the bytes from `begin` to `end`, if a quoted field goes on before them or not (`guess`),
    and whether one goes on after them."""

    begin: int
    end: int
    ends: int
    guess: bool
    opens: bool


class Ahead:
    """Gives out the pieces of a file in their order, and counts them by what the other processes have found."""

    def __init__(self, start: int, found: BinaryIO) -> None:
        self._start, self._found = start, found
        self._counted: dict[int, Counted] = {}
        self._piece, self._begin = b"", 0

    def segments(self, rest: bytes, read: Callable[[int], bytes], dialect: Dialect) -> Iterator[bytes]:
        """The file in pieces that end with a line; `rest` are the bytes before `start`."""
        self._begin = self._start - len(rest)
        for self._piece in segments(rest, read, dialect, PIECE):
            yield self._piece
            self._begin += len(self._piece)

    def count(self, data: bytes, dialect: Dialect, is_open: bool) -> tuple[int, bool]:
        """How many records end in `data`, and whether a quoted field goes on after it."""
        if data is self._piece:
            end = self._begin + len(data)
            known = self._wait_for((end - 1 - self._start) // PIECE)
            if known and (known.begin, known.end, known.guess) == (self._begin, end, is_open):
                return known.ends, known.opens
        return count(data, dialect, is_open)

    def _wait_for(self, number: int) -> Counted | None:
        """What was found for a piece; nothing where the other processes have ended without it."""
        while number not in self._counted:
            message = self._found.read(_COUNTED.size)
            if len(message) < _COUNTED.size:
                return None
            of, *counted = _COUNTED.unpack(message)
            self._counted[of] = Counted(*counted)
        return self._counted.pop(number)


@contextmanager
def count_ahead(path: Path, start: int, dialect: Dialect) -> Iterator[Ahead | None]:
    """Counts what is in the file behind byte `start`; None where the file is small or there is one processor."""
    size, processes = path.stat().st_size, min(os.cpu_count() or 1, _MOST)
    if size < LEAST or processes == 1 or not hasattr(os, "fork"):
        yield None
        return
    bytes(_KEPT)
    pieces = range(-(-max(size - start, 0) // PIECE))
    reading, writing = os.pipe()
    with ExitStack() as begun:
        found = begun.enter_context(os.fdopen(reading, "rb"))
        try:
            with suppress(OSError):  # no more processes: those that run are enough, or none
                for number in range(processes):
                    begun.callback(_end, _begin(path, start, dialect, pieces[number::processes], reading, writing))
        finally:
            os.close(writing)
        yield Ahead(start, found)


def _begin(path: Path, start: int, dialect: Dialect, pieces: range, reading: int, writing: int) -> int:
    """A process that counts these pieces; it ends by itself where nobody reads any more."""
    if process := os.fork():
        return process
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; who cuts the file ends the others
        os.close(reading)
        with path.open("rb", buffering=0) as file:
            for number in pieces:
                counted = _count(file.fileno(), start + number * PIECE, dialect)
                os.write(writing, _COUNTED.pack(number, *counted))
    finally:
        os._exit(0)  # nothing of the other process's is flushed, closed or reported here


def _end(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)


def _count(file: int, at: int, dialect: Dialect) -> tuple[int, int, int, bool, bool]:
    """The fields of `Counted` for the lines that end in the PIECE at this place; zeros where that cannot be said."""
    before = min(_LINE, at)
    data = os.pread(file, before + PIECE, at - before)
    begin, end = (dialect.last_line_end(data, most, begins=at == before) for most in (before, None))
    if not begin:
        return 0, 0, 0, False, False
    guess = is_open = seems_open(data[begin : begin + _LINE], dialect)
    ends, done = 0, begin
    try:
        while done < end:
            line = dialect.last_line_end(data, min(done + _AT_ONCE, end))
            line = line if line > done else end
            more, is_open = count(data[done:line], dialect, is_open)
            ends, done = ends + more, line
    except Broken:
        return 0, 0, 0, False, False
    return at - before + begin, at - before + end, ends, guess, is_open
