"""CSV files are cut between records and nowhere else, and come together again byte for byte."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.runtime import csv_text
from windlass.runtime.csv_text import BOM, Cut, merge, parse_size, records, split
from windlass.runtime.errors import RuntimeStop

FIELDS = st.text(alphabet='ab",;\n\r\t é|', max_size=6)
ROWS = st.lists(st.lists(FIELDS, min_size=2, max_size=3), max_size=12)
CUTS = st.one_of(
    st.integers(1, 6).map(lambda n: Cut(rows=n)),
    st.integers(1, 80).map(lambda n: Cut(size=n)),
    st.integers(1, 6).map(lambda n: Cut(parts=n)),
)


def written(rows: list[list[str]], end: str, *, bom: bool, last_newline: bool) -> bytes:
    text = io.StringIO()
    # Python's writer leaves a lone carriage return without the quotes that it needs
    quoting = csv.QUOTE_ALL if any("\r" in field for row in rows for field in row) else csv.QUOTE_MINIMAL
    csv.writer(text, lineterminator=end, quoting=quoting).writerows([["id", "a \n name"], *rows])
    content = text.getvalue().encode()
    return (BOM if bom else b"") + (content if last_newline else content.removesuffix(end.encode()))


def parts_of(content: bytes, cut: Cut, folder: Path, name: str = "data.csv") -> list[bytes]:
    folder.mkdir(exist_ok=True)
    source = folder / "source.csv"
    source.write_bytes(content)
    return [path.read_bytes() for path in split(source, cut, folder, name)]


def merged(parts: list[bytes], folder: Path) -> bytes:
    paths = [folder / f"{i}.csv" for i in range(len(parts))]
    for path, part in zip(paths, parts, strict=True):
        path.write_bytes(part)
    merge(paths, folder / "merged.csv")
    return (folder / "merged.csv").read_bytes()


@given(rows=ROWS, end=st.sampled_from(["\n", "\r\n"]), bom=st.booleans(), last_newline=st.booleans(), cut=CUTS)
@settings(max_examples=150, deadline=None)
def test_split_then_merge_gives_the_same_bytes(
    rows: list[list[str]], end: str, bom: bool, last_newline: bool, cut: Cut, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    content = written(rows, end, bom=bom, last_newline=last_newline)
    parts = parts_of(content, cut, folder)
    assert merged(parts, folder) == content
    # every part is a whole file: a reader finds the same rows in the parts as in the source
    read = [list(csv.reader(io.StringIO(part.decode("utf-8-sig"), newline=""))) for part in parts]
    assert [row for part in read for row in part[1:]] == rows
    if cut.rows:
        assert [len(part) - 1 for part in read[:-1]] == [cut.rows] * (len(parts) - 1)
    if cut.parts:
        assert len(parts) <= cut.parts


@given(content=st.binary(max_size=60).map(lambda raw: raw.replace(b"\0", b'"')), cut=CUTS)
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_either_refused_or_come_back(
    content: bytes, cut: Cut, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("csv")
    try:
        parts = parts_of(content, cut, folder)
    except RuntimeStop:
        return
    assert merged(parts, folder) == content


@pytest.mark.parametrize("content", [b"", b"a,b", b"a,b\n", b"a,b\r\n", BOM + b"a\n"])
def test_a_file_without_rows_makes_one_part(content: bytes, tmp_path: Path) -> None:
    assert parts_of(content, Cut(rows=1), tmp_path) == [content]


def test_a_part_is_no_larger_than_its_size_unless_it_is_one_record(tmp_path: Path) -> None:
    content = b"h\n" + b"".join(b"%d\n" % 10**size for size in (1, 1, 9, 1, 1, 1))
    assert parts_of(content, Cut(size=8), tmp_path) == [
        b"h\n10\n10\n",
        b"h\n1000000000\n",
        b"h\n10\n10\n",
        b"h\n10\n",
    ]


def test_parts_are_of_about_the_same_size(tmp_path: Path) -> None:
    parts = parts_of(b"h\n" + b"1234567\n" * 100, Cut(parts=3), tmp_path)
    assert [len(part) for part in parts] == [274, 266, 266]


def test_parts_are_named_in_their_order(tmp_path: Path) -> None:
    source = tmp_path / "source.csv"
    source.write_bytes(b"h\n1\n2\n")
    made = split(source, Cut(rows=1), tmp_path, "orders.tar.csv")
    assert [path.name for path in made] == ["orders-00000.tar.csv", "orders-00001.tar.csv"]


def test_a_part_may_be_removed_before_the_next_one_is_made(tmp_path: Path) -> None:
    source = tmp_path / "source.csv"
    source.write_bytes(b"h\n1\n2\n3\n")
    for path in split(source, Cut(rows=1), tmp_path, "part.csv"):
        assert len(list(tmp_path.glob("part-*"))) == 1
        path.unlink()


def test_a_quote_inside_a_field_that_is_not_quoted_is_text() -> None:
    file = io.BytesIO(b'id,size\n1,5" disk\n2,"two\nlines"\n')
    assert list(records(file, "x")) == [b"id,size\n", b'1,5" disk\n', b'2,"two\nlines"\n']


@pytest.mark.parametrize("separator", [b",", b";", b"\t", b"|"])
def test_line_ends_inside_quotes_are_seen_behind_every_usual_separator(separator: bytes) -> None:
    record = separator.join([b"1", b'"two\nlines"', b"3\n"])
    assert list(records(io.BytesIO(b"h\n" + record), "x")) == [b"h\n", record]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'a,b\n1,"never\nends\n', "record 2 begins a quoted field that never ends"),
        ("a,b\n".encode("utf-16"), "is not text in UTF-8"),
        (b"a\0b\n", "is not text in UTF-8"),
        (b"a,b\r1,2\r", "ends its lines with a carriage return alone"),
    ],
)
def test_what_is_no_csv_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    with pytest.raises(RuntimeStop, match=reason):
        parts_of(content, Cut(rows=1), tmp_path)


def test_a_record_that_is_too_long_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_text, "LONGEST_RECORD", 100)
    for content in (b"h\n" + b"x" * 200 + b"\n", b'h\n"' + b"x\n" * 100 + b'"\n'):
        with pytest.raises(RuntimeStop, match="record 2 is longer than"):
            parts_of(content, Cut(rows=1), tmp_path)


def test_parts_written_without_their_last_newline_do_not_run_into_each_other(tmp_path: Path) -> None:
    assert merged([b"h\n1", b"h", b"h\r\n2"], tmp_path) == b"h\n1\r\n2"
    assert merged([b"h", b"h\n1", b"h\n2"], tmp_path) == b"h\n1\n2"


@pytest.mark.parametrize("parts", [[b"a,b\n1,2\n", b"b,a\n2,1\n"], [b"a\n1\n", b""], [b"a\n", b"A\n"]])
def test_parts_with_different_headers_are_refused(parts: list[bytes], tmp_path: Path) -> None:
    with pytest.raises(RuntimeStop, match=r"part 2 \(1\.csv\) has the header '.*' instead of 'a"):
        merged(parts, tmp_path)


def test_nothing_to_merge_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeStop, match="there are no parts to merge"):
        merged([], tmp_path)


def test_sizes_are_written_like_those_of_flavors() -> None:
    assert [parse_size(text) for text in ("1Ki", "64Mi", "2Gi")] == [1024, 64 << 20, 2 << 30]
    for text in ("64", "64MB", "0Mi", "-1Ki", " 1Ki"):
        with pytest.raises(ValueError, match="is not a size"):
            parse_size(text)
