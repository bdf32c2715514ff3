"""Decides where the parts of a text file end: behind whole records, in one pass, with a piece of the file in memory."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

from .csv_dialect import Broken, Dialect, count, goes_on, nth_end
from .csv_header import LONGEST_RECORD
from .csv_text import Cut

SEGMENT = 256 * 1024
"""Bytes that are looked at in one go: they stay in the processor's cache."""

Count = Callable[[bytes, Dialect, bool], tuple[int, bool]]
"""Tells how many records end in bytes, and whether a quoted field goes on after them."""
Slice = tuple[int, memoryview]
"""Bytes of the file and the number of the part that they belong to; slices come in the order of the file."""


def slices(
    rest: bytes, read: Callable[[int], bytes], dialect: Dialect, cut: Cut, header: int, size: int
) -> Iterator[Slice]:
    """The bytes below a header of so many bytes, cut into parts; `size` are all bytes, which only `parts` needs."""
    found = segments(rest, read, dialect)
    if cut.rows:
        return by_rows(found, dialect, cut.rows)
    if cut.size:
        return by_size(found, dialect, max(cut.size - header, 1))
    return by_parts(found, dialect, cut.parts or 1, max(size - header, 1))


def segments(
    rest: bytes, read: Callable[[int], bytes], dialect: Dialect, length_read: int | None = None
) -> Iterator[bytes]:
    """The file in pieces that end with a line; the last one may lack its line end."""
    waiting, length = [rest], len(rest)
    while block := read(length_read or SEGMENT):
        end = dialect.last_line_end(block, begins=False)
        if end:
            yield b"".join([*waiting, memoryview(block)[:end]])
            waiting, length = [block[end:]], len(block) - end
        else:
            waiting.append(block)
            length += len(block)
            _check(length)
    if last := b"".join(waiting):
        yield last


def by_rows(found: Iterable[bytes], dialect: Dialect, rows: int, count: Count = count) -> Iterator[Slice]:
    """Parts of so many records; `count` may know more of the segments than their bytes."""
    part, have, is_open, without_end = 0, 0, False, 0
    for segment in found:
        view, at = memoryview(segment), 0
        while at < len(segment):
            rest = segment[at:] if at else segment
            ends, opens = count(rest, dialect, is_open)
            if have + ends < rows:
                yield part, view[at:]
                without_end = 0 if ends else without_end + len(rest)
                _check(without_end)
                have, is_open = have + ends, opens
                break
            end = at + nth_end(rest, dialect, is_open, rows - have)
            yield part, view[at:end]
            part, at, have, is_open = part + 1, end, 0, False
    _check_end(is_open, f"record {part * rows + have + 2}")  # the header is the first


def by_parts(found: Iterable[bytes], dialect: Dialect, parts: int, size: int) -> Iterator[Slice]:
    """So many parts of about the same size: each ends with the first record that reaches its share of `size` bytes."""
    part, done, is_open, without_end = 0, 0, False, 0
    for segment in found:
        view, at = memoryview(segment), 0
        while at < len(segment):
            rest = segment[at:] if at else segment
            least = max(-(-(part + 1) * size // parts) - done, 1)
            end, opens = _first_end(rest, dialect, is_open, least) if least <= len(rest) else (0, is_open)
            if not end:
                opens = goes_on(rest, dialect, is_open)
                yield part, view[at:]
                is_long = is_open and opens and not count(rest, dialect, is_open)[0]
                without_end = without_end + len(rest) if is_long else 0
                _check(without_end)
                done, is_open = done + len(rest), opens
                break
            yield part, view[at : at + end]
            part, done, at, is_open = part + 1, done + end, at + end, False
    _check_end(is_open)


def by_size(found: Iterable[bytes], dialect: Dialect, most: int) -> Iterator[Slice]:
    """Parts of at most so many bytes, or of one record; memory holds a record that has not ended."""
    part, written, looked_at = 0, 0, 0
    waiting: list[bytes] = []
    for segment in chain(found, [b""]):
        waiting.append(segment)
        if segment and sum(map(len, waiting)) < 2 * looked_at:
            continue  # a long record is not looked at again for each segment of it
        data, at = b"".join(waiting), 0
        view = memoryview(data)
        while at < len(data):
            rest = data[at:]
            end = _last_end(rest, dialect, most - written)
            if not end:
                if not count(rest, dialect, False)[0]:
                    break
                if written:
                    part, written = part + 1, 0
                    continue
                end = nth_end(rest, dialect, False, 1)
            yield part, view[at : at + end]
            written, at = written + end, at + end
        waiting, looked_at = [data[at:]], len(data) - at
        _check(looked_at)
    if last := b"".join(waiting):
        _check_end(goes_on(last, dialect, False))
        yield part + bool(written and written + len(last) > most), memoryview(last)


def _first_end(data: bytes, dialect: Dialect, is_open: bool, least: int) -> tuple[int, bool]:
    """The first end of a record at or after byte `least`, 0 if there is none; and whether a quoted field goes on."""
    line = dialect.last_line_end(data, least)
    before, opens = count(data[:line], dialect, is_open)
    if line == least and not opens:
        return line, False
    after, opens = count(data[line:], dialect, opens)
    return (nth_end(data, dialect, is_open, before + 1), False) if after else (0, opens)


def _last_end(data: bytes, dialect: Dialect, most: int) -> int:
    """The last end of a record at or before byte `most`, 0 if there is none; a record begins with `data`."""
    line = dialect.last_line_end(data, max(most, 0))
    if not goes_on(data[:line], dialect, False):
        return line
    ends, _ = count(data[:line], dialect, False)
    return nth_end(data[:line], dialect, False, ends) if ends else 0


def _check(length: int) -> None:
    if length > LONGEST_RECORD:
        raise Broken(f"a record is longer than {LONGEST_RECORD >> 20} MiB; is a quote missing?")


def _check_end(is_open: bool, record: str = "the last record") -> None:
    if is_open:
        raise Broken(f"{record} begins a quoted field that never ends; is a quote missing?")
