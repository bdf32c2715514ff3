"""Files are cut between records and nowhere else, and come together again byte for byte."""

import csv
import gzip
import io
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import examples
from windlass.runtime import csv_header, cutting
from windlass.runtime.csv_dialect import Dialect, dialect_of
from windlass.runtime.csv_header import BOM
from windlass.runtime.csv_text import Cut, cut_of, parse_size, records
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.merging import merge
from windlass.runtime.splitting import kind_of, split

CUTS = st.one_of(
    st.integers(1, 6).map(lambda n: Cut(rows=n)),
    st.integers(1, 80).map(lambda n: Cut(size=n)),
    st.integers(1, 6).map(lambda n: Cut(parts=n)),
)


@dataclass
class Memory:
    """A file in memory that is read a few bytes at a time."""

    name: str
    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        yield io.BytesIO(self.content)


@dataclass
class Made:
    """Files that are made in memory; an error leaves none of them."""

    files: dict[str, bytes] = field(default_factory=dict)

    @contextmanager
    def create(self, name: str) -> Iterator[Any]:
        file = io.BytesIO()
        yield file
        self.files[name] = file.getvalue()


@contextmanager
def reads_of(size: int) -> Iterator[None]:
    """Has files read so many bytes at a time, the header's too: else it is read with all that is behind it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "SEGMENT", size)
        patch.setattr(csv_header, "_BLOCK", size)
        yield


def parts_of(
    content: bytes, cut: Cut, name: str = "data.csv", dialect: Dialect | None = None, most: int = 999
) -> list[bytes]:
    made = Made()
    count = split(Memory(name, content), cut, name, made.create, dialect or Dialect(), most)
    assert count == len(made.files)
    return [made.files[name] for name in sorted(made.files)]


def merged(parts: list[bytes], name: str = "data.csv", dialect: Dialect | None = None) -> bytes:
    made = Made()
    sources = [Memory(f"{number}-{name}", part) for number, part in enumerate(parts)]
    merge(sources, made.create(name), name, dialect or Dialect())
    return made.files[name]


@st.composite
def dialects(draw: st.DrawFn) -> dict[str, Any]:
    """Every way in which Python's csv module writes, as arguments of csv.writer."""
    delimiter = draw(st.sampled_from([",", ";", "\t", "|", ":", " ", "^", "a"]))
    quoting = draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC, csv.QUOTE_NONE]))
    quote = draw(st.sampled_from(['"', "'", None])) if quoting == csv.QUOTE_NONE else draw(st.sampled_from(['"', "'"]))
    has_escape = quoting == csv.QUOTE_NONE or draw(st.booleans())
    return {
        "delimiter": delimiter,
        "quoting": quoting,
        "quotechar": quote,
        "escapechar": "\\" if has_escape else None,
        "doublequote": not has_escape or draw(st.booleans()),
        "lineterminator": draw(st.sampled_from(["\n", "\r\n"])),
    }


FIELDS = st.text(alphabet="ab\"',;:\n\r\t\\ é|^", max_size=6)
ROWS = st.lists(FIELDS, min_size=2, max_size=3)
TABLES = st.lists(ROWS, min_size=1, max_size=12) | st.lists(
    ROWS.map(lambda row: [*map(without_returns, row)]), min_size=2
)


def without_returns(text: str) -> str:
    """The same without what csv.writer may leave without quotes and csv.reader takes for a line end."""
    return text.replace("\r", "")


def written(rows: list[list[str]], how: dict[str, Any]) -> bytes:
    text = io.StringIO()
    csv.writer(text, **how).writerows(rows)
    return text.getvalue().encode()


def cut_by_hand(records: list[bytes], cut: Cut) -> list[bytes]:
    """The parts of a file whose records are known, the header first."""
    header, *rest = records
    parts, total, done = [header], sum(map(len, rest)), 0
    most = max((cut.size or 0) - len(header), 1)
    for number, record in enumerate(rest):
        is_full = (
            (cut.rows and number % cut.rows == 0)
            or (cut.size and len(parts[-1]) - len(header) + len(record) > most)
            or (cut.parts and done * cut.parts >= len(parts) * total)
        )
        if number and is_full:
            parts.append(header)
        parts[-1] += record
        done += len(record)
    return parts


def read_by_csv(content: bytes, how: dict[str, Any]) -> list[list[str]]:
    arguments = {key: value for key, value in how.items() if key != "lineterminator"}
    if how["quoting"] == csv.QUOTE_NONNUMERIC:
        arguments["quoting"] = csv.QUOTE_ALL  # it would turn what is not quoted into numbers
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), **arguments))


@given(rows=TABLES, how=dialects(), bom=st.booleans(), last=st.booleans(), cut=CUTS, block=st.integers(1, 40))
@settings(examples(300))
def test_split_then_merge_gives_the_same_bytes_in_every_dialect_of_csv(
    rows: list[list[str]], how: dict[str, Any], bom: bool, last: bool, cut: Cut, block: int
) -> None:
    records = [written([row], how) for row in rows]
    records[-1] = records[-1] if last else records[-1].removesuffix(how["lineterminator"].encode())
    records[0] = (BOM if bom else b"") + records[0]
    content = b"".join(records)
    quote = "none" if how["quoting"] == csv.QUOTE_NONE else how["quotechar"]
    dialect = dialect_of(how["delimiter"], quote, how["escapechar"])
    with reads_of(block):
        try:
            parts = parts_of(content, cut, dialect=dialect)
        except RuntimeStop as stop:
            if "carriage return alone" in str(stop) and any("\r" in text for text in rows[0]):
                return  # the header looks like a file of them
            raise
        assert merged(parts, dialect=dialect) == content
    assert parts == cut_by_hand(records, cut)
    if any("\r" in text for row in rows for text in row):
        return  # csv.reader ends a record there, where csv.writer has left it without quotes
    whole = read_by_csv(content, how)
    read = [read_by_csv(part, how) for part in parts]
    # every part is a whole file: a reader finds in the parts the rows of the file, below its header
    assert [row for part in read for row in part[1:]] == whole[1:]
    assert all(part[0] == whole[0] for part in read)


@given(rows=TABLES, how=dialects(), cut=CUTS, block=st.integers(1, 40))
@settings(examples(150))
def test_the_dialect_that_the_header_shows_need_not_be_said(
    rows: list[list[str]], how: dict[str, Any], cut: Cut, block: int
) -> None:
    how |= {"quotechar": '"', "escapechar": None, "doublequote": True}
    how["quoting"] = csv.QUOTE_MINIMAL if how["quoting"] == csv.QUOTE_NONE else how["quoting"]
    content = written([["id", 'a "name"\n'], *rows], how)
    try:
        with reads_of(block):
            parts = parts_of(content, cut)
    except RuntimeStop as stop:
        if "does not tell the delimiter" in str(stop) and how["delimiter"] not in ",;\t|":
            return
        raise
    assert merged(parts) == content
    if how["delimiter"] in ",;\t|" and not any("\r" in text for row in rows for text in row):
        read = [read_by_csv(part, how) for part in parts]
        assert [row for part in read for row in part[1:]] == rows


@given(content=st.binary(max_size=60).map(lambda raw: raw.replace(b"\0", b'"')), cut=CUTS, block=st.integers(1, 40))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_either_refused_or_come_back(content: bytes, cut: Cut, block: int) -> None:
    with reads_of(block):
        for name in ("data.csv", "data.jsonl"):
            try:
                parts = parts_of(content, cut, name)
            except RuntimeStop:
                continue
            assert merged(parts, name) == content


@pytest.mark.parametrize("content", [b"", b"a,b", b"a,b\n", b"a,b\r\n", BOM + b"a\n"])
def test_a_file_without_rows_makes_one_part(content: bytes) -> None:
    for cut in (Cut(rows=1), Cut(size=1), Cut(parts=3)):
        assert parts_of(content, cut) == [content]


def test_a_part_is_no_larger_than_its_size_unless_it_is_one_record() -> None:
    content = b"h\n" + b"".join(b"%d\n" % 10**size for size in (1, 1, 9, 1, 1, 1))
    assert parts_of(content, Cut(size=8)) == [b"h\n10\n10\n", b"h\n1000000000\n", b"h\n10\n10\n", b"h\n10\n"]


def test_parts_are_of_about_the_same_size() -> None:
    parts = parts_of(b"h\n" + b"1234567\n" * 100, Cut(parts=3))
    assert [len(part) for part in parts] == [274, 266, 266]


def test_a_part_does_not_end_at_a_line_end_in_quotes_however_well_it_fits() -> None:
    content = b'h\n"aa\nbb"\n'
    assert parts_of(content, Cut(parts=2)) == [content]
    assert parts_of(content + b"1\n", Cut(size=6)) == [content, b"h\n1\n"]


def test_a_giant_record_is_a_part_of_its_own() -> None:
    giant = b'2,"' + b"line\n" * 300_000 + b'"\n'
    content = b"a,b\n1,x\n" + giant + b"3,y\n"
    assert parts_of(content, Cut(size=100)) == [b"a,b\n1,x\n", b"a,b\n" + giant, b"a,b\n3,y\n"]
    assert parts_of(content, Cut(rows=1))[1] == b"a,b\n" + giant
    assert merged(parts_of(content, Cut(parts=9))) == content


def test_parts_are_named_in_their_order_and_no_more_than_allowed() -> None:
    made = Made()
    split(Memory("s.csv", b"h\n1\n2\n"), Cut(rows=1), "orders.tar.csv", made.create, Dialect())
    assert list(made.files) == ["orders-00000.tar.csv", "orders-00001.tar.csv"]
    assert len(parts_of(b"h\n" + b"1\n" * 4, Cut(rows=1), most=4)) == 4
    with pytest.raises(RuntimeStop, match=r"data\.csv makes more than 3 parts; make them larger"):
        parts_of(b"h\n" + b"1\n" * 4, Cut(rows=1), most=3)


@pytest.mark.parametrize("separator", [b",", b";", b"\t", b"|", b":"])
def test_the_delimiter_is_what_the_header_shows(separator: bytes) -> None:
    header, row = separator.join([b'"a"', b'"b"\n']), separator.join([b"1", b'"two\nlines"\n'])
    assert parts_of(header + row * 2, Cut(rows=1)) == [header + row] * 2


@pytest.mark.parametrize(
    "header", [b'a,"b;c"\n', b'"x,y";b\n', b'a,5" disk\n', b"a,b c\n", b'a,"b\nc;d"\n', b"a\n", b'"a ""b"\n']
)
def test_headers_that_look_odd_are_understood(header: bytes) -> None:
    assert parts_of(header + b'"1\n2"\n3\n', Cut(rows=1)) == [header + b'"1\n2"\n', header + b"3\n"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'a,b\n1,"never\nends\n', "record 2 begins a quoted field that never ends"),
        (b'a,"b\n1\n', "record 1 begins a quoted field that never ends"),
        ("a,b\n".encode("utf-16"), "is not text in UTF-8"),
        ("a,b\n".encode("utf-16-le"), "is not text in UTF-8"),
        ("a,b\n".encode("utf-32"), "is not text in UTF-8"),
        (b"a\0b\n", "is not text in UTF-8"),
        (b"a,b\r1,2\r", "ends its lines with a carriage return alone"),
        (b"a\r1\r2", "ends its lines with a carriage return alone"),
        (b'"a",b\r"1",2\r', "ends its lines with a carriage return alone"),
        (b'a:b\n1:"two\nlines"\n', "does not tell the delimiter, and a quote stands inside a line"),
        (b'a,b;c\n1,"two\nlines";2\n', "does not tell the delimiter"),
    ],
)
def test_what_is_no_csv_or_not_to_be_decided_is_refused(content: bytes, reason: str) -> None:
    for cut in (Cut(rows=1), Cut(parts=2), Cut(size=4)):
        with pytest.raises(
            RuntimeStop, match=rf"data\.csv.* {reason.replace('record 2', '(record 2|the last record)')}"
        ):
            parts_of(content, cut)


def test_what_cannot_be_decided_can_be_said() -> None:
    content = b'a:b\n1:"two\nlines"\n'
    assert parts_of(content, Cut(rows=1), dialect=dialect_of(":")) == [content]


def test_a_record_that_is_too_long_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "LONGEST_RECORD", 100)
    monkeypatch.setattr(cutting, "SEGMENT", 32)
    for content, cut in itertools.product(
        (b"h\n" + b"x" * 900 + b"\n", b'h\n"' + b"x\n" * 400 + b'"\n'), (Cut(rows=1), Cut(size=9), Cut(parts=2))
    ):
        monkeypatch.setattr(csv_header, "_BLOCK", 8)
        with pytest.raises(RuntimeStop, match=r"data\.csv: a record is longer than"):
            parts_of(content, cut)


def test_parts_written_without_their_last_newline_do_not_run_into_each_other() -> None:
    assert merged([b"h\n1", b"h", b"h\r\n2"]) == b"h\n1\r\n2"
    assert merged([b"h", b"h\n1", b"h\n2"]) == b"h\n1\n2"
    assert merged([b"1", b"", b"2\n"], "x.jsonl") == b"1\n2\n"


@pytest.mark.parametrize("parts", [[b"a,b\n1,2\n", b"b,a\n2,1\n"], [b"a\n1\n", b""], [b"a\n", b"A\n"]])
def test_parts_with_different_headers_are_refused(parts: list[bytes]) -> None:
    with pytest.raises(RuntimeStop, match=r"part 2 \(1-data\.csv\) has the header '.*' instead of 'a"):
        merged(parts)


def test_nothing_to_merge_and_a_part_of_another_kind_are_refused() -> None:
    for name in ("x.csv", "x.parquet"):
        with pytest.raises(RuntimeStop, match="there are no parts to merge"):
            merged([], name)
    with pytest.raises(RuntimeStop, match=r"part 1 \(a\.jsonl\) is no \.csv file"):
        merge([Memory("a.jsonl", b"")], Made().create("x.csv"), "x.csv", Dialect())


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_compressed_files_are_cut_and_put_together_by_what_is_inside(ending: str) -> None:
    name, content = f"data.csv{ending}", b"a,b\n" + b'1,"x\ny"\n' * 5000
    packed = merged([content[:40_004], b"a,b\n" + content[40_004:]])  # what is inside, in two members
    made = Made()
    for cut in (Cut(rows=1700), Cut(parts=3), Cut(size=20_000)):
        merge([Memory("0.csv", packed)], made.create(name), name, Dialect())
        parts = parts_of(made.files[name], cut, name)
        assert len(parts) == 3
        if ending == ".gz":
            assert all(gzip.decompress(part).startswith(b"a,b\n1,") for part in parts)
        whole = Made()
        merge(
            [Memory(f"{i}.csv{ending}", part) for i, part in enumerate(parts)],
            whole.create("w.csv"),
            "w.csv",
            Dialect(),
        )
        assert whole.files["w.csv"] == content
    damaged = made.files[name][: len(made.files[name]) // 2]
    with pytest.raises(RuntimeStop, match=r"data\.csv\.(gz|zst) is no whole (gzip|zstd) file"):
        parts_of(damaged, Cut(rows=1), name, most=9999)
    with pytest.raises(RuntimeStop, match=r"data\.csv\.(gz|zst) is no whole (gzip|zstd) file"):
        parts_of(b"a,b\n1,2\n" * 9, Cut(rows=1), name)


def table_of(content: bytes) -> Any:
    return pyarrow.parquet.read_table(io.BytesIO(content))


@pytest.mark.parametrize(
    ("cut", "parts"), [(Cut(rows=30), 4), (Cut(parts=3), 3), (Cut(size=1), 100), (Cut(rows=999), 1)]
)
def test_a_parquet_file_is_cut_into_the_same_rows(cut: Cut, parts: int) -> None:
    table = pyarrow.table({"id": range(100), "text": [f"{i}" if i % 7 else None for i in range(100)]})
    table = table.replace_schema_metadata({"made": "by hand"})
    file = io.BytesIO()
    pyarrow.parquet.write_table(table, file, row_group_size=17, compression="zstd")
    made = parts_of(file.getvalue(), cut, "t.parquet")
    assert len(made) == parts
    whole = merged(made, "t.parquet")
    assert table_of(whole).equals(table) and table_of(whole).schema.metadata == table.schema.metadata
    assert pyarrow.parquet.ParquetFile(io.BytesIO(whole)).metadata.row_group(0).column(0).compression == "ZSTD"


def test_parquet_files_without_rows_with_other_columns_and_damaged_ones() -> None:
    file, other = io.BytesIO(), io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"a": pyarrow.array([], pyarrow.int64())}), file)
    pyarrow.parquet.write_table(pyarrow.table({"b": [1]}), other)
    assert len(parts_of(file.getvalue(), Cut(rows=5), "t.parquet")) == 1
    with pytest.raises(RuntimeStop, match=r"part 2 \(1-t\.parquet\) has other columns or types"):
        merged([file.getvalue(), other.getvalue()], "t.parquet")
    with pytest.raises(RuntimeStop, match=r"t\.parquet is no whole Parquet file"):
        parts_of(b"PAR1 and no more", Cut(rows=5), "t.parquet")


def test_the_ending_says_what_a_file_is() -> None:
    assert [kind_of(name) for name in ("a.csv", "a.b.csv.gz", "a.jsonl.zst", "a.parquet")] == [
        ".csv",
        ".csv",
        ".jsonl",
        ".parquet",
    ]
    for name in ("a.txt", "a.gz", "a.parquet.gz", "csv"):
        with pytest.raises(ValueError, match="is none of"):
            kind_of(name)
    with pytest.raises(ValueError, match="both must be of the same kind"):
        split(Memory("a.csv", b""), Cut(rows=1), "a.jsonl", Made().create, Dialect())


def test_records_are_given_out_one_by_one() -> None:
    content = b'id,size\n1,5" disk\n2,"two\nlines"\n3,last'
    assert list(records(io.BytesIO(content), "x")) == [b"id,size\n", b'1,5" disk\n', b'2,"two\nlines"\n', b"3,last"]


def test_sizes_are_written_like_those_of_flavors() -> None:
    assert [parse_size(text) for text in ("1Ki", "64Mi", "2Gi")] == [1024, 64 << 20, 2 << 30]
    for text in ("64", "64MB", "0Mi", "-1Ki", " 1Ki"):
        with pytest.raises(ValueError, match="is not a size"):
            parse_size(text)
    assert cut_of("it", size="1Ki") == Cut(size=1024)
    for wrong in ({}, {"rows": 1, "parts": 1}, {"rows": 0}):
        with pytest.raises(ValueError, match=r"it needs exactly one|must be at least 1"):
            cut_of("it", **wrong)


@given(
    content=st.lists(st.sampled_from([b"a", b"\\", b"\\", b"\n", b'"', b","]), max_size=40).map(b"".join),
    cut=CUTS,
    block=st.integers(1, 40),
)
@settings(examples(150))
def test_with_an_escape_the_parts_do_not_depend_on_where_the_reads_end(content: bytes, cut: Cut, block: int) -> None:
    dialect, content = dialect_of(",", None, "\\"), b"h,k\n" + content

    def found() -> list[bytes] | str:
        try:
            return parts_of(content, cut, dialect=dialect)
        except RuntimeStop as stop:
            return str(stop)

    whole = found()
    with reads_of(block):
        assert found() == whole


def test_lines_that_end_with_an_escaped_escape_are_lines() -> None:
    line = b"C:\\\\dir\\\\\n"  # as csv.writer writes a folder of Windows
    for cut in (Cut(rows=33), Cut(parts=3), Cut(size=2 + 33 * len(line))):
        parts = parts_of(b"h\n" + line * 99, cut, dialect=dialect_of(",", "none", "\\"))
        assert parts == [b"h\n" + line * 33] * 3


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
def test_json_lines_in_other_encodings_are_refused(encoding: str) -> None:
    with pytest.raises(RuntimeStop, match=r"data\.jsonl is not text in UTF-8"):
        parts_of('{"a": 1}\n{"a": 2}\n'.encode(encoding), Cut(rows=1), "data.jsonl")


def test_each_part_of_json_lines_has_the_byte_order_mark_and_the_whole_has_one() -> None:
    content = BOM + b'{"a": 1}\n{"a": 2}\n'
    parts = parts_of(content, Cut(rows=1), "x.jsonl")
    assert parts == [BOM + b'{"a": 1}\n', BOM + b'{"a": 2}\n']
    assert merged(parts, "x.jsonl") == content
    assert merged([b"1\n", BOM + b"2\n"], "x.jsonl") == b"1\n2\n"


@pytest.mark.parametrize("name", ["data.csv.gz", "data.csv.zst", "data.jsonl.gz"])
def test_a_packed_file_without_a_byte_is_refused(name: str) -> None:
    for cut in (Cut(rows=1), Cut(parts=2)):
        with pytest.raises(RuntimeStop, match=rf"{name} has no bytes"):
            parts_of(b"", cut, name)


def test_damage_in_the_middle_of_a_parquet_file_is_named() -> None:
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"a": range(9999)}), file)
    content = bytearray(file.getvalue())
    content[100:5000] = bytes(4900)
    for act in (
        lambda: parts_of(bytes(content), Cut(rows=9), "t.parquet"),
        lambda: merged([bytes(content)], "t.parquet"),
    ):
        with pytest.raises(RuntimeStop, match=r"t\.parquet is no whole Parquet file: "):
            act()
