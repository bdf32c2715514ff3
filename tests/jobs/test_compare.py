"""The comparison of files: equal to itself in any order that is allowed, and any change of a cell is found."""

import csv
import gzip
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from windlass.jobs.compare import Likeness, difference, table_difference
from windlass.runtime.errors import RuntimeStop

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=5)
NUMBERS = st.decimals(-1000, 1000, places=3).map(str)
CELLS = st.one_of(st.none(), WORDS.filter(bool), NUMBERS)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[Any]]]:
    """A table whose first column is a key."""
    width, height = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    columns = ["id", *(f"column_{number}" for number in range(width))]
    return columns, [[f"row {number}", *(draw(CELLS) for _ in range(width))] for number in range(height)]


@st.composite
def changed_tables(draw: st.DrawFn) -> tuple[Any, Any, int, int]:
    """A table, the same with another value in one cell, and where that is."""
    columns, rows = draw(tables())
    row, column = draw(st.integers(0, len(rows) - 1)), draw(st.integers(1, len(columns) - 1))
    value = draw(CELLS)
    assume(value != rows[row][column])
    others = [list(each) for each in rows]
    others[row][column] = value
    return (columns, rows), (columns, others), row, column


def compared(one: Any, two: Any, likeness: Likeness) -> str | None:
    return table_difference((one[0], iter(one[1])), (two[0], iter(two[1])), likeness)


@given(tables(), st.randoms(use_true_random=False), st.sampled_from([0.0, 0.5]))
def test_a_table_is_equal_to_itself_in_any_order_where_a_key_or_no_order_is_asked(
    table: Any, random: Any, tolerance: float
) -> None:
    columns, rows = table
    others = random.sample(rows, len(rows))
    assert compared(table, table, Likeness()) is None
    assert compared(table, (columns, others), Likeness(tolerance, key=("id",))) is None
    assert compared(table, (columns, others), Likeness(ignore_order=True)) is None


@given(changed_tables(), st.randoms(use_true_random=False))
def test_any_change_of_one_cell_is_found_and_named(change: Any, random: Any) -> None:
    one, two, row, column = change
    name = repr(one[0][column])
    found = compared(one, two, Likeness())
    assert found and found.startswith(f"row {row + 1}: column {name}: expected ")
    shuffled = random.sample(two[1], len(two[1]))
    place = shuffled.index(two[1][row])
    found = compared(one, (two[0], shuffled), Likeness(key=("id",)))
    assert found and found.startswith(f"row {place + 1} (id 'row {row}'): column {name}: expected ")
    found = compared(one, (two[0], shuffled), Likeness(ignore_order=True))
    assert found and f"'row {row}'" in found


@given(st.decimals(-1000, 1000, places=6), st.decimals(0, 2, places=6), st.decimals("0.000001", 1, places=6))
def test_numbers_may_differ_by_exactly_the_tolerance_and_no_more(
    number: Decimal, apart: Decimal, tolerance: Decimal
) -> None:
    one, two = (["a"], [[str(number)]]), (["a"], [[str(number + apart)]])
    found = compared(one, two, Likeness(float(tolerance)))
    assert (found is None) == (apart <= tolerance)
    if found:
        assert f"they differ by {apart:g}, more than {tolerance.normalize():g}" in found or "e-" in found


@given(tables(), st.data())
def test_a_row_more_or_less_is_found(table: Any, data: st.DataObject) -> None:
    columns, rows = table
    gone = data.draw(st.integers(0, len(rows) - 1))
    fewer = (columns, [row for number, row in enumerate(rows) if number != gone])
    for likeness in (Likeness(), Likeness(key=("id",)), Likeness(0.5, key=("id",)), Likeness(ignore_order=True)):
        assert compared(table, fewer, likeness), likeness
        assert compared(fewer, table, likeness), likeness


@given(changed_tables())
def test_files_of_csv_and_json_lines_say_the_same_as_their_rows(tmp_path_factory: Any, change: Any) -> None:
    one, two, row, column = change
    folder = tmp_path_factory.mktemp("files")
    for ending, written in ((".csv", _csv), (".jsonl", _jsonl)):
        first, second = folder / f"one{ending}", folder / f"two{ending}"
        first.write_bytes(written(*one))
        second.write_bytes(written(*two))
        assert difference(first, first, Likeness()) is None
        found = difference(first, second, Likeness())
        assert found and found.startswith(f"row {row + 1}: column {one[0][column]!r}: expected ")


def _csv(columns: list[str], rows: list[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([columns, *rows])
    return text.getvalue().encode()


def _jsonl(columns: list[str], rows: list[list[Any]]) -> bytes:
    lines = (json.dumps(dict(zip(columns, row, strict=True))) for row in rows)
    return "".join(f"{line}\n" for line in lines).encode()


@pytest.mark.parametrize(
    ("name", "expected", "came", "likeness", "said"),
    [
        (
            "a.csv",
            "a,b\n1,2\n",
            "a,c\n1,2\n",
            Likeness(),
            "column 'b' is missing; expected ['a', 'b'], came ['a', 'c']",
        ),
        ("a.csv", "a\n1\n", "a,c\n1,2\n", Likeness(), "column 'c' was not expected; expected ['a'], came ['a', 'c']"),
        ("a.csv", "a,b\n", "b,a\n", Likeness(), "the columns come in another order; expected"),
        ("a.csv", "a\n1\n", "a\r\n1\r\n", Likeness(), "the values are the same and the bytes are not; the lines"),
        ("a.csv", "a\n1\n", "a\r\n1\r\n", Likeness(0.1), None),
        ("a.csv", "a\n1\n2\n", "a\n1\n", Likeness(), "expected 2 rows, came 1 row; row 2 is missing: a '2'"),
        ("a.csv", "a\n1\n", "a\n1\n2\n", Likeness(), "expected 1 row, came 2 rows; row 2 was not expected: a '2'"),
        ("a.csv", "a,b\n1,x\n", "a,b\n1,\n", Likeness(), "row 1: column 'b': expected 'x', came nothing"),
        ("a.csv", "a\n1.0\n", "a\nnan\n", Likeness(0.1), "row 1: column 'a': expected '1.0', came 'nan'"),
        ("a.csv", "a\n1\n1\n2\n", "a\n2\n1\n2\n", Likeness(ignore_order=True), "expected and missing: a '1'; came and"),
        ("a.csv", "a\n1\n", "a\n2\n", Likeness(key=("a",)), "the row with a '1' is missing: a '1'"),
        ("a.csv", "a\n1\n", "a\n1\n2\n", Likeness(key=("a",)), "row 2 was not expected: a '2'"),
        ("a.jsonl", '{"a": 1}\n', '{"a": true}\n', Likeness(), "row 1: column 'a': expected 1, came True"),
        (
            "a.json",
            '{"a": [1, 2.5]}',
            '{"a": [1, 2.6]}',
            Likeness(0.05),
            "a[1]: expected 2.5, came 2.6; they differ by 0.1",
        ),
        ("a.json", '{"a": [1, 2.5]}', '{"a": [1, 2.52]}', Likeness(0.05), None),
        ("a.json", '{"a": {"b": 1}}', '{"a": {}}', Likeness(0.1), "a: key 'b' is missing"),
        ("a.json", '{"a": 1}', '{"a": 1, "b": 2}', Likeness(0.1), "the whole: key 'b' was not expected"),
        ("a.json", "[1]", "[1, 2]", Likeness(0.1), "the whole: expected 1 items, came 2"),
        ("a.txt", "one\ntwo\n", "one\ntwi\n", Likeness(), "the lines that differ:\n--- expected\n+++ came\n"),
        ("a.txt", "one\n", "one", Likeness(), "+one (no line feed)"),
        ("a.bin", "a\0b", "a\0c", Likeness(), "expected 3 bytes, came 3; they differ from byte 3 on"),
    ],
)
def test_a_difference_is_one_sentence(
    tmp_path: Path, name: str, expected: str, came: str, likeness: Likeness, said: str | None
) -> None:
    for folder, content in (("expected", expected), ("came", came)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(content.encode())
    found = difference(tmp_path / "expected" / name, tmp_path / "came" / name, likeness)
    assert (found is None and said is None) or (found and said and said in found), found


@pytest.mark.parametrize(
    ("name", "content", "likeness", "said"),
    [
        ("a.csv", "a\n1\n1\n", Likeness(key=("a",)), "a is no key: rows 1 and 2 of what came both have a '1'"),
        ("a.csv", "a\n1\n", Likeness(key=("b",)), "there is no column 'b' to be the key; the columns are ['a']"),
        ("a.json", "{", Likeness(0.1), "a.json is no JSON"),
        ("a.txt", "x", Likeness(0.1), "only .csv, .parquet, .jsonl, .json files are compared by their values"),
    ],
)
def test_what_cannot_be_compared_is_said(
    tmp_path: Path, name: str, content: str, likeness: Likeness, said: str
) -> None:
    (tmp_path / "came").mkdir()
    (tmp_path / name).write_text("a\n3\n")
    (tmp_path / "came" / name).write_text(content)
    with pytest.raises(RuntimeStop) as stop:
        difference(tmp_path / name, tmp_path / "came" / name, likeness)
    assert said in str(stop.value)


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_packed_files_are_compared_by_what_is_inside(tmp_path: Path, ending: str) -> None:
    def write(name: str, text: str, level: int) -> Path:
        path = tmp_path / name / f"a.csv{ending}"
        path.parent.mkdir()
        if ending == ".gz":
            path.write_bytes(gzip.compress(text.encode(), level))
        else:
            arrow = pytest.importorskip("pyarrow")
            path.write_bytes(arrow.Codec("zstd", level).compress(text.encode(), asbytes=True))
        return path

    one, same, other = write("one", "a\n1\n", 1), write("same", "a\n1\n", 9), write("other", "a\n2\n", 1)
    assert one.read_bytes() != same.read_bytes() or ending == ".zst"
    assert difference(one, same, Likeness()) is None
    assert difference(one, other, Likeness()) == "row 1: column 'a': expected '1', came '2'"
    one.write_bytes(b"no archive")
    with pytest.raises(RuntimeStop, match="csv"):
        difference(one, other, Likeness())


def test_a_long_difference_of_texts_is_cut(tmp_path: Path) -> None:
    for name, word in (("one.txt", "a"), ("two.txt", "b")):
        (tmp_path / name).write_text("".join(f"{word} {number}\n" for number in range(100)))
    found = difference(tmp_path / "one.txt", tmp_path / "two.txt", Likeness())
    assert found and len(found.splitlines()) == 22 and "... and 183 lines more" in found


@pytest.mark.parametrize(
    ("name", "expected", "came", "reason"),
    [
        ("a.csv", "v\n9e999999\n", "v\n-9e999999\n", "they differ by Infinity, more than 0.1"),
        ("a.json", f"[1{'0' * 400}]", "[2]", "they differ by 1.0"),
    ],
)
def test_numbers_of_any_size_have_a_difference(
    tmp_path: Path, name: str, expected: str, came: str, reason: str
) -> None:
    (tmp_path / "expected").mkdir()
    (tmp_path / "expected" / name).write_text(expected)
    (tmp_path / name).write_text(came)
    assert reason in str(difference(tmp_path / "expected" / name, tmp_path / name, Likeness(0.1)))


def test_very_many_columns_are_counted_and_not_listed() -> None:
    columns = [f"c{number}" for number in range(2000)]
    found = table_difference((columns, iter([])), (columns[1:], iter([])), Likeness(0.1))
    assert found == "column 'c0' is missing; expected 2000 columns, came 1999 columns"
