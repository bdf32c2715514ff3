"""The first record of a CSV file, and what it tells of the dialect; text that is no such file is refused."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from .csv_dialect import LINES, Broken, Dialect, record_ends
from .errors import RuntimeStop

LONGEST_RECORD = 64 * 1024 * 1024
BOM = b"\xef\xbb\xbf"
_OTHER_ENCODINGS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_USUAL = (b",", b";", b"\t", b"|")
_BLOCK = 64 * 1024


@dataclass(frozen=True)
class Header:
    """The first record with its line end and byte order mark, the dialect, and what was read beyond the record."""

    record: bytes
    dialect: Dialect
    rest: bytes

    @property
    def names(self) -> bytes:
        """The record without its line end and byte order mark."""
        return names_in(self.record)


def names_in(record: bytes) -> bytes:
    """A header without its line end and byte order mark."""
    return record.removeprefix(BOM).rstrip(b"\r\n")


def read_header(read: Callable[[int], bytes], name: str, dialect: Dialect) -> Header:
    """Reads the header, and finds the delimiter where `dialect` has none: the one of , ; tab and | that it shows.

    The byte behind a first name in quotes is looked at too. Where two are possible the delimiter stays unknown.
    """
    data = more = read(_BLOCK)
    if data.startswith(_OTHER_ENCODINGS):
        raise _other_encoding(name)
    while True:
        start = len(BOM) if data.startswith(BOM) else 0
        found = _first_record(data[start:], name, dialect, is_whole=not more)
        if found:
            end, dialect = found[0] + start, found[1]
            if b"\0" in data[:end]:
                raise _other_encoding(name)
            return Header(data[:end], dialect, data[end:])
        if len(data) > LONGEST_RECORD:
            raise RuntimeStop(f"{name}: the header is longer than {LONGEST_RECORD >> 20} MiB; is a quote missing?")
        more = read(max(len(data), _BLOCK))
        data += more


def read_mark(read: Callable[[int], bytes], name: str) -> Header:
    """What JSON lines begin with instead of a header: a byte order mark, or nothing."""
    data = b""
    while len(data) < len(BOM) and (more := read(len(BOM) - len(data))):
        data += more
    if data.startswith(_OTHER_ENCODINGS) or b"\0" in data:  # `{` or `[` and a NUL byte are UTF-16
        raise _other_encoding(name)
    mark = BOM if data == BOM else b""
    return Header(mark, LINES, data.removeprefix(mark))


def _other_encoding(name: str) -> RuntimeStop:
    return RuntimeStop(f"{name} is not text in UTF-8 or another encoding that keeps ASCII; convert it first")


@dataclass(frozen=True)
class _Look:
    """What the header is under one dialect: where it ends if it does, whether it is as a program writes it."""

    dialect: Dialect
    end: int
    is_lone_return: bool
    is_clean: bool
    has_delimiter: bool


def _first_record(data: bytes, name: str, dialect: Dialect, *, is_whole: bool) -> tuple[int, Dialect] | None:
    """The length and the dialect of the first record; None when more has to be read."""
    known = dialect.delimiter is not None
    looks = [_look(data, each) for each in ([dialect] if known else _candidates(data, dialect))]
    if not is_whole and not all(look.end for look in looks):
        return None
    likely = [look for look in looks if known or look.has_delimiter]
    likely = [look for look in likely if look.is_clean] or likely
    if any(look.is_lone_return for look in (likely if len(likely) == 1 else looks)):
        raise RuntimeStop(f"{name} ends its lines with a carriage return alone; write them with \\n or \\r\\n")
    if len(likely) == 1:
        dialect, looks = likely[0].dialect, likely
    found = {look.end for look in looks}  # rows below a header that ends at one place for all need not be understood
    try:
        ends, is_open = record_ends(data[: max(found) or None] if len(found) == 1 else data, dialect, False)
    except Broken as error:
        raise RuntimeStop(f"{name}: {error}") from None
    if not ends and is_open:
        raise RuntimeStop(f"{name}: record 1 begins a quoted field that never ends; is a quote missing?")
    return (ends[0] if ends else len(data)), dialect


def _candidates(data: bytes, dialect: Dialect) -> list[Dialect]:
    found = [each for each in _USUAL if each not in (dialect.quote, dialect.escape)]
    if dialect.quote and not dialect.escape:
        quote = re.escape(dialect.quote)
        behind = re.match(b"Q[^Q]*(?:QQ[^Q]*)*Q(?!Q)([\x01-\x7f])".replace(b"Q", quote), data)
        if behind and not behind[1].isalnum() and behind[1] not in (*found, b"\r", b"\n"):
            found.append(behind[1])
    return [replace(dialect, delimiter=each) for each in found]


def _look(data: bytes, dialect: Dialect) -> _Look:
    """Goes through the first record byte by byte: headers are short."""
    is_open, at_start, is_clean, has_delimiter, closed = False, True, True, False, -1
    at, end, is_lone_return = 0, 0, False
    specials = re.compile(
        b"[" + re.escape(b"\r\n" + dialect.quote + dialect.escape + (dialect.delimiter or b"")) + b"]"
    )
    while match := specials.search(data, at):
        found, here = match[0], match.start()
        if closed >= 0 and here > closed and not is_open:
            is_clean, closed = False, -1
        at_start, at = at_start and here == at, here + 1
        if found == dialect.escape:
            at, at_start = here + 2, False
        elif found == dialect.quote and is_open:
            if data[at : at + 1] == dialect.quote:
                at += 1
            else:
                is_open, closed = False, at
        elif found == dialect.quote:
            is_clean, is_open, at_start = is_clean and at_start, at_start, False
        elif is_open:
            continue
        elif found in b"\r\n":
            closed = -1
            is_lone_return = found == b"\r" and data[at : at + 1] not in (b"", b"\n", b"\r")
            if found == b"\n" or is_lone_return:
                end = at
                break
        else:
            has_delimiter, at_start, closed = True, True, -1
    return _Look(dialect, end, is_lone_return, is_clean and not (is_open and not end), has_delimiter)
