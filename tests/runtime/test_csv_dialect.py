"""Records end where Python's csv.reader says that they do, whichever way they are looked for."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.runtime.csv_dialect import Broken, Dialect, count, dialect_of, nth_end, record_ends

COMMA = Dialect(delimiter=b",")
TEXT = st.text(alphabet='",\n; ab', max_size=40).map(lambda text: text.encode() + b"\n")
RETURNS = st.text(alphabet='",\n\r ab', max_size=40).map(lambda text: text.encode() + b"\n")


def ends_by_csv_reader(data: bytes) -> list[int]:
    """Where csv.reader has a whole record, found by giving it one line after the other."""
    ends, at = [], 0
    lines = data.decode().splitlines(keepends=True)
    taken: list[int] = []

    def given_out() -> object:
        nonlocal at
        for line in lines:
            at += len(line)
            taken.append(at)
            yield line

    for _ in csv.reader(given_out()):
        ends.append(taken[-1])
    return ends


@given(TEXT)
@settings(max_examples=400, deadline=None)
def test_records_end_where_csv_reader_says(data: bytes) -> None:
    ends, is_open = record_ends(data, COMMA, False)
    by_reader = ends_by_csv_reader(data)
    assert ends == (by_reader[:-1] if is_open else by_reader)  # csv.reader gives out what the file's end cuts off


@given(RETURNS, st.booleans())
@settings(max_examples=400, deadline=None)
def test_the_fast_way_finds_what_the_slow_way_finds(data: bytes, is_open: bool) -> None:
    ends, opens = record_ends(data, COMMA, is_open)
    assert count(data, COMMA, is_open) == (len(ends), opens)
    for number, end in enumerate(ends, 1):
        assert nth_end(data, COMMA, is_open, number) == end


def test_the_end_of_a_record_is_found_in_a_long_text() -> None:
    rows = [b'%d,"two\nlines %d",5" disk\n' % (i, i) for i in range(2000)] + [b"x" * 9000 + b"\n", b"last\n"]
    data, at = b"".join(rows), 0
    for number, row in enumerate(rows, 1):
        at += len(row)
        if number % 97 == 0 or number > 1998:
            assert nth_end(data, COMMA, False, number) == at


@pytest.mark.parametrize(
    ("record", "ends"),
    [
        (b'1,5" disk\n2,"a\nb"\n', [10, 18]),  # a quote inside of a field that is not quoted is text
        (b'1,5" disk,"a\nb"\n', [16]),
        (b'"a"b"c,d\n', [9]),  # after a quoted part, more text and a quote in it
        (b'"a""b\n"\n', [8]),
        (b'a,""\n""\n', [5, 8]),
        (b'a\r"b\nc"\n', [8]),  # csv.reader begins a record behind a carriage return, too
    ],
)
def test_quotes_mean_what_csv_reader_says(record: bytes, ends: list[int]) -> None:
    assert record_ends(record, COMMA, False) == (ends, False)
    assert count(record, COMMA, False) == (len(ends), False)


def test_an_escape_takes_the_meaning_of_a_quote_or_a_line_end_away() -> None:
    dialect = dialect_of(",", None, "\\")
    for record in (b'"a\\"\nb"\n', b"a\\\nb\n", b'a\\,"b\n', b"a\\\\\n"):
        assert record_ends(record, dialect, False) == ([len(record)], False)
        assert count(record, dialect, False) == (1, False)
        read = list(csv.reader(io.StringIO(record.decode(), newline=""), escapechar="\\"))
        assert len(read) == 1


def test_a_quote_whose_meaning_depends_on_the_unknown_delimiter_is_refused() -> None:
    assert record_ends(b'"a\nb"\n1\n', Dialect(), False) == ([6, 8], False)
    with pytest.raises(Broken, match="does not tell the delimiter"):
        count(b'1:"a\nb"\n', Dialect(), False)


def test_a_dialect_is_written_as_a_person_writes_it() -> None:
    assert dialect_of() == Dialect(None, b'"', b"")
    assert dialect_of("tab", "none", "\\") == Dialect(b"\t", b"", b"\\")
    for wrong in ({"delimiter": ";;"}, {"delimiter": "none"}, {"quote": "é"}, {"escape": "\n"}, {"delimiter": '"'}):
        with pytest.raises(ValueError, match=r"is not one ASCII character|is the quote already"):
            dialect_of(**wrong)
    with pytest.raises(ValueError, match="must differ"):
        dialect_of(";", ";")


def test_an_even_number_of_escapes_before_a_line_end_is_text() -> None:
    dialect = dialect_of(",", None, "\\")
    for data, last, first in ((b"a\\\\\n", 4, 4), (b"a\\\n", 0, 0), (b"a\nb\\\\\\\n", 2, 2), (b"\\\\\n", 3, 3)):
        assert dialect.last_line_end(data) == last
        assert dialect.line_end(data, 0) == first
    # where nobody knows what was before, escapes alone tell nothing
    assert dialect.last_line_end(b"\\\\\n", begins=False) == dialect.last_line_end(b"\n", begins=False) == 0
    assert dialect.last_line_end(b"a\n", begins=False) == 2
