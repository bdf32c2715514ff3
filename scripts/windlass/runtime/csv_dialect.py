"""How a CSV file separates and quotes its fields, and where its records end: what Python's csv.reader would say."""

import re
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter

_TAIL = itemgetter(slice(-1, None))
_NEWLINE = 10
_WORDS = {"tab": "\t", "\\t": "\t", "none": ""}


class Broken(Exception):
    """The text cannot be cut into records; the message says why, and whoever knows the file's name adds it."""


@dataclass(frozen=True)
class Dialect:
    """A delimiter, a quote and an escape, one ASCII byte each; a delimiter of None is not known, others may be absent.

    A quote opens a field only where a field begins, and two quotes inside are one, as for Python's csv.reader.
    """

    delimiter: bytes | None = None
    quote: bytes = b'"'
    escape: bytes = b""

    @cached_property
    def before_opening(self) -> bytes:
        """The bytes after which a quote opens a field."""
        return b"\r\n" + (self.delimiter or b"")

    @cached_property
    def tokens(self) -> re.Pattern[bytes]:
        """What may end a record or change what a line end means."""
        escaped = [re.escape(self.escape) + rb"[\s\S]"] if self.escape else []
        return re.compile(b"|".join([*escaped, *([re.escape(self.quote)] if self.quote else []), rb"\n"]))

    def line_end(self, data: bytes, least: int) -> int:
        """Where the line ends that byte `least` is in, an escaped line end not counted; 0 when it does not."""
        at = data.find(b"\n", least)
        while at >= 0 and self._is_escaped(data, at):
            at = data.find(b"\n", at + 1)
        return at + 1

    def last_line_end(self, data: bytes, most: int | None = None, *, begins: bool = True) -> int:
        """The last line end at or before byte `most`, an escaped one not counted; 0 when there is none.

        `begins`: a line begins with `data`. Else nobody knows what a line end means that has only escapes before it.
        """
        at = data.rfind(b"\n", 0, most)
        while at >= 0 and self._is_escaped(data, at, begins):
            at = data.rfind(b"\n", 0, at)
        return at + 1

    def _is_escaped(self, data: bytes, at: int, begins: bool = True) -> bool:
        """Whether an odd number of escapes stands before this byte: two of them are one that is text."""
        if not self.escape:
            return False
        first = at
        while first and data[first - 1 : first] == self.escape:
            first -= 1
        return (at - first) % 2 == 1 or not (first or begins)


LINES = Dialect(delimiter=None, quote=b"", escape=b"")
"""Each line is a record: JSON lines."""


def dialect_of(delimiter: str | None = None, quote: str | None = None, escape: str | None = None) -> Dialect:
    """The dialect that a person writes: one character each; `tab` is a tab, and the quote `none` is no quote at all."""
    given = {"delimiter": delimiter, "quote": quote, "escape": escape}
    found = {name: _WORDS.get(value, value).encode() for name, value in given.items() if value is not None}
    for name, value in found.items():
        if len(value) > 1 or value in b"\r\n\0" or value >= b"\x80":
            if not value and name == "quote":
                continue
            raise ValueError(f"{name} {given[name]!r} is not one ASCII character; write it like ';' or 'tab'")
    if len(set(found.values())) < len(found):
        raise ValueError("delimiter, quote and escape must differ from each other")
    if "quote" not in found and b'"' in found.values():
        raise ValueError("a double quote is the quote already; two of them inside a field are one without an escape")
    return Dialect(**found)


def record_ends(data: bytes, dialect: Dialect, is_open: bool) -> tuple[list[int], bool]:
    """Where records end, and whether a quoted field goes on after `data`, which begins with a line.

    This is the slow way: it looks at each quote and each line end.
    """
    ends: list[int] = []
    escaped, second = -1, -1
    for token in dialect.tokens.finditer(data):
        at = token.start()
        if data[at] == _NEWLINE:
            if not is_open:
                ends.append(at + 1)
        elif token.end() > at + 1:
            escaped = token.end()
        elif at == second:
            continue
        elif is_open:
            if data[at + 1 : at + 2] == dialect.quote:
                second = at + 1
            else:
                is_open = False
        elif at == 0:
            is_open = True
        elif at != escaped:
            is_open = data[at - 1] in dialect.before_opening
            if not is_open and dialect.delimiter is None:
                raise Broken(
                    "the header does not tell the delimiter, and a quote stands inside a line; say which it is"
                )
    return ends, is_open


def count(data: bytes, dialect: Dialect, is_open: bool) -> tuple[int, bool]:
    """How many records end in `data`, and whether a quoted field goes on after it.

    The fast way takes every second quote as one that opens. That is right if each of these stands where a field begins
    or right behind another quote; where one does not (`5" disk`), the slow way decides.
    """
    found = _quickly(data, dialect, is_open)
    return _slowly(data, dialect, is_open) if found is None else found


def _quickly(data: bytes, dialect: Dialect, is_open: bool) -> tuple[int, bool] | None:
    quote, escape = dialect.quote, dialect.escape
    if escape and escape in data:
        return None
    if not quote or quote not in data:
        return (0, True) if is_open else (data.count(b"\n"), False)
    texts = data.split(quote)
    opens_last = (len(texts) % 2 == 0) is not is_open
    outside = texts[is_open::2]
    before = b"".join(map(_TAIL, outside if opens_last else outside[:-1]))
    if before.translate(None, dialect.before_opening):
        return None
    return b"".join(outside).count(b"\n"), opens_last


def seems_open(data: bytes, dialect: Dialect) -> bool:
    """A guess whether `data` begins inside a quoted field: only if so, quotes that open stand where fields begin."""
    return _quickly(data, dialect, False) is None and _quickly(data, dialect, True) is not None


def goes_on(data: bytes, dialect: Dialect, is_open: bool) -> bool:
    """Whether a quoted field goes on after `data`; faster than to count its records where there are no quotes."""
    if not dialect.quote or dialect.quote not in data:
        return is_open
    return count(data, dialect, is_open)[1]


def nth_end(data: bytes, dialect: Dialect, is_open: bool, number: int) -> int:
    """Where the record `number` (1 is the first) ends in `data`, which must have so many."""
    at, end, before = 0, len(data), (-1, -1)
    while end - at > 4096 and (at, end) != before:
        before, step = (at, end), (end - at) // 8
        while at < end:
            middle = dialect.line_end(data, min(at + step, end - 1)) or end
            found, opens = count(data[at:middle], dialect, is_open)
            if found >= number:
                end = middle
                break
            number, at, is_open = number - found, middle, opens
    return at + record_ends(data[at:end], dialect, is_open)[0][number - 1]


def _slowly(data: bytes, dialect: Dialect, is_open: bool) -> tuple[int, bool]:
    ends, opens = record_ends(data, dialect, is_open)
    return len(ends), opens
