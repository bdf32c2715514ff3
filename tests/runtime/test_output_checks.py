"""An output is checked where it is produced: a row that breaks a rule is found, it is the first, and others are not."""

import csv
import gzip
import io
import json
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import examples
from windlass.runtime import blocks
from windlass.runtime.checked import Checked
from windlass.runtime.checks import check_rows, data_checks
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.local_parts import LocalFile
from windlass.runtime.output_checks import check_output, check_path
from windlass.runtime.rows import read_rows
from windlass.runtime.tables import TYPES
from windlass.runtime.values import Column
from windlass.spec.port import COLUMN_TYPES, ROW_ENDINGS

SCORES = b"id,score,currency\n1,0.5,EUR\n2,1.7,USD\n"


@pytest.fixture(params=["vectorised", "row by row"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With pyarrow and without."""
    if request.param == "row by row":
        monkeypatch.setattr(blocks, "_arrow", lambda: None)
    return str(request.param)


def check(folder: Path, content: bytes, name: str = "scores.csv", **checks: Any) -> int | None:
    (folder / name).write_bytes(content)
    return check_path("scores", Checked(name, **checks), folder / name, folder)


def test_a_value_that_breaks_a_rule_is_named_with_its_row_column_and_what_would_be_right(
    way: str, tmp_path: Path
) -> None:
    for column, said in (
        ({"type": "number", "at_most": 1}, "column 'score' is '1.7', more than 1"),
        ({"type": "integer"}, "column 'score' is '0.5', which is no integer"),
        ({"type": "boolean"}, "column 'score' is '0.5', which is no boolean like true"),
        ({"type": "date"}, "column 'score' is '0.5', which is no date like 2026-01-31"),
        ({"one_of": ["0.5", "0.6"]}, "column 'score' is '1.7', none of '0.5', '0.6'"),
        ({"matches": "0.*"}, "column 'score' is '1.7', which does not match 0.*"),
        ({"type": "number", "at_least": 0.7}, "column 'score' is '0.5', less than 0.7"),
    ):
        row = 1 if "0.5'" in said and "1.7" not in said else 2
        with pytest.raises(RuntimeStop) as stop:
            check(tmp_path, SCORES, columns={"id": "integer", "score": column})
        assert str(stop.value) == f"output 'scores' (scores.csv), row {row}: {said}"


@pytest.mark.parametrize(
    ("content", "checks", "said"),
    [
        (b"id\n", {"rows": {"at_least": 1}}, ": the number of rows is 0, less than 1"),
        (b"id\n1\n2\n", {"rows": {"at_most": 1}}, ": the number of rows is 2, more than 1"),
        (
            b"id,x\n1,2\n",
            {"columns": {"y": "integer"}},
            ": there is no column 'y' to check; the columns are ['id', 'x']",
        ),
        (b"id,id\n1,2\n", {"unique": ["id"]}, ": there are several columns 'id'; name each differently"),
        (
            b"id,x\n1,2\n",
            {"columns": {"id": "integer"}, "extra_columns": "refuse"},
            ": there is a column 'x', which is none of ['id']",
        ),
        (b"id,x\n1,2\n1\n", {"rows": {"at_least": 1}}, ", row 2 has 1 fields, the header 2"),
        (b"id,x\n1,\n", {"columns": {"x": {"nulls": False}}}, ", row 1: column 'x' is empty"),
        (b"id,x\n1,2\n3,2\n1,2\n", {"unique": ["x", "id"]}, ", row 3 has the same x '2', id '1' as row 1"),
        (b"id,x\n1,2\n1,\xff\n", {"columns": {"id": "integer"}}, ", row 2 is not UTF-8 text"),
        (b'id,x\n1,2\n1,"a\n', {"unique": ["id"]}, ": the last record begins a quoted field that never ends"),
        (b"", {"unique": ["id"]}, ": there is no header; the first line must name the columns"),
        (b"\xff\xfei\0", {"unique": ["id"]}, ": scores.csv is not text in UTF-8"),
        (b"\xe9\n1\n", {"unique": ["id"]}, ": the header cannot be read"),
    ],
)
def test_a_file_that_is_not_as_it_must_be_is_refused(
    content: bytes, checks: dict[str, Any], said: str, way: str, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeStop) as stop:
        check(tmp_path, content, **checks)
    assert str(stop.value).startswith(f"output 'scores' (scores.csv){said}")


def test_what_is_not_said_is_not_checked(way: str, tmp_path: Path) -> None:
    assert check(tmp_path, SCORES, columns={"id": "integer"}, unique=["currency"]) == 2
    assert check_output("scores", "scores.csv", [], tmp_path) is None
    with pytest.raises(ValueError, match="there is no check 'row'"):
        Checked("scores.csv", row={"at_least": 1})


@pytest.mark.parametrize(
    "content", [b"id;n\n1;2\n", b"id\tn\n1\t2\n", b"\xef\xbb\xbfid,n\r\n1,2\r\n", b'"id"|n\n"1"|2']
)
def test_the_header_shows_the_delimiter(content: bytes, way: str, tmp_path: Path) -> None:
    columns = {"id": {"type": "integer", "at_most": 1}, "n": {"type": "integer", "at_least": 2}}
    assert check(tmp_path, content, columns=columns, extra_columns="refuse") == 1


def test_nulls_are_allowed_unless_refused_and_are_never_the_same(way: str, tmp_path: Path) -> None:
    content = b'a,b\n,1\n"",1\n\n'
    assert check(tmp_path, content, columns={"a": {"type": "number", "at_least": 1}}, unique=["a", "b"]) == 2
    assert check(tmp_path, b"a\n\n1\n\n", columns={"a": "integer"}) == 3


@pytest.mark.parametrize("ending", ROW_ENDINGS)
def test_files_of_every_ending_are_checked(ending: str, way: str, tmp_path: Path) -> None:
    if way != "vectorised" and ending.endswith(("zst", "parquet")):
        return  # they need pyarrow, and say so
    pyarrow = pytest.importorskip("pyarrow")
    rows = [{"id": 1, "at": "2026-01-01"}, {"id": 2, "at": None}, {"id": 3, "at": "2026-02-30"}]
    path = tmp_path / f"x{ending}"
    if ending == ".parquet":
        pytest.importorskip("pyarrow.parquet").write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        lines = "id,at\n1,2026-01-01\n2,\n3,2026-02-30\n" if ".csv" in ending else "\n".join(map(json.dumps, rows))
        data = lines.encode()
        packed = {"gz": gzip.compress, "st": lambda data: pyarrow.compress(data, "zstd", asbytes=True)}
        path.write_bytes(packed.get(ending[-2:], lambda data: data)(data))
    with pytest.raises(RuntimeStop, match=r"row 3: column 'at' is '2026-02-30', which is no date"):
        check_path("x", Checked(path.name, columns={"id": "integer", "at": "date"}), path, tmp_path)
    assert check_path("x", Checked(path.name, columns={"id": "integer", "at": "string"}), path, tmp_path) == 3
    with pytest.raises(RuntimeStop, match=r"row 3: column 'id' is '?3'?, more than 2"):
        check_path("x", Checked(path.name, columns={"id": {"at_most": 2, "type": "integer"}}), path, tmp_path)


def test_what_json_lines_lack_is_null_and_text_is_no_number(tmp_path: Path) -> None:
    content = b'{"id": 1}\n\n{"n": 2.5, "id": 2}\n{"n": "3", "id": 3}\n'
    assert check(tmp_path, content, "x.jsonl", columns={"id": "integer"}, unique=["id"]) == 3
    for checks, said in (
        ({"columns": {"n": "number"}}, "row 3: column 'n' is '3', which is no number"),
        ({"columns": {"n": {"nulls": False}}}, "row 1: column 'n' is empty"),
        ({"columns": {"id": "integer"}, "extra_columns": "refuse"}, "row 2: there is no column 'n' among ['id']"),
    ):
        with pytest.raises(RuntimeStop, match=re.escape(said)):
            check(tmp_path, content, "x.jsonl", **checks)
    for line in (b"{", b"[1]", b"[" * 100_000):
        with pytest.raises(RuntimeStop, match="row 2 is no JSON"):
            check(tmp_path, b'{"a": 1}\n' + line, "x.jsonl", rows={"at_least": 1})


def test_a_list_of_files_is_checked_as_one(way: str, tmp_path: Path) -> None:
    paths = [tmp_path / "a.csv", tmp_path / "b.csv"]
    for path, content in zip(paths, ("id\n1\n2\n", "id\n3\n1\n"), strict=True):
        path.write_text(content)
    sources = [LocalFile(path) for path in paths]
    assert check_output("parts", Checked("x.csv", rows={"at_least": 4}), sources, tmp_path) == 4
    with pytest.raises(RuntimeStop, match=r"output 'parts' \(b.csv\), row 4 has the same id '1' as row 1"):
        check_output("parts", Checked("x.csv", unique=["id"]), sources, tmp_path)


def test_the_types_are_those_of_the_language_and_of_convert() -> None:
    assert COLUMN_TYPES == TYPES


GOOD: dict[str, st.SearchStrategy[str]] = {
    "boolean": st.sampled_from(["true", "FALSE", "1", "0"]),
    "integer": st.integers(-(10**25), 10**25).map(str) | st.sampled_from(["007", "+5", "-0"]),
    "number": st.floats(allow_nan=False, allow_infinity=False).map(repr) | st.sampled_from(["1", ".5", "5.", "+1e3"]),
    "string": st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=5),
    "date": st.dates().map(date.isoformat),
    "timestamp": st.datetimes().map(datetime.isoformat) | st.sampled_from(["2026-01-31 06:00Z", "2026-01-31"]),
}
BAD: dict[str, list[str]] = {
    "boolean": ["yes", "2", "tRUE"],
    "integer": ["1.0", " 1", "1e3", "1_000", "٣", "0x1", "-"],
    "number": ["nan", "inf", "1e999", "1_0", "1,5", " 1", "٣", ".", "-"],
    "date": ["2026-02-30", "2026-1-1", "20260131", "31.1.2026", "2026-01-31T06:00"],
    "timestamp": ["2026-01-31T25:00", "2026-W05", "now", "2026-01-31T6:00"],
}


def cut(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Has files read in blocks of about so many bytes."""
    monkeypatch.setattr(blocks, "BLOCK", size)
    for name in ("cutting.SEGMENT", "csv_header._BLOCK"):
        monkeypatch.setattr(f"windlass.runtime.{name}", size)


@pytest.mark.parametrize("kind", BAD)
def test_values_that_are_nearly_of_a_type_are_refused(kind: str, way: str, tmp_path: Path) -> None:
    for value in BAD[kind]:
        with pytest.raises(RuntimeStop, match=f"row 1: column 'a' is .*, which is no {kind}"):
            check(tmp_path, f'a\n"{value}"\n'.encode(), columns={"a": kind})


def test_a_field_may_hold_the_end_of_a_block(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut(monkeypatch, 8)
    content = b'a,b\n1,"' + b"x\n" * 20 + b'"\n2,3\nx,\n'
    with pytest.raises(RuntimeStop, match="row 3: column 'a' is 'x', which is no integer"):
        check(tmp_path, content, columns={"a": "integer"})


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[list[str | None]], dict[str, Any]]:
    """Rows of three columns that are mostly of their types, and the checks for them."""
    kinds = [draw(st.sampled_from(sorted(GOOD))) for _ in "abc"]
    values = [
        st.none() | GOOD[kind] | (st.sampled_from(BAD[kind]) if kind in BAD and draw(st.booleans()) else st.nothing())
        for kind in kinds
    ]
    rows = draw(st.lists(st.tuples(*values).map(list), max_size=8))
    columns: dict[str, Any] = {}
    for name, kind in zip("abc", kinds, strict=True):
        said: dict[str, Any] = {"type": kind, "nulls": draw(st.booleans())}
        if kind in ("integer", "number") and draw(st.booleans()):
            said["at_least"] = draw(st.integers(-(10**6), 10) | st.floats(-10, 10))
        if kind == "integer" and draw(st.booleans()):
            said["one_of"] = draw(st.lists(st.integers(0, 10), min_size=1))
        if kind in ("date", "timestamp") and draw(st.booleans()):
            said["at_most"] = draw(st.dates()).isoformat()
        if kind == "string" and draw(st.booleans()):
            said["matches"] = draw(st.sampled_from([r"\w+", "[^a]*", "(?s).*"]))
        columns[name] = said
    return rows, {"columns": columns, "unique": draw(st.sampled_from([["a"], ["b", "c"], None]))}


def written(rows: list[list[str | None]], *, quotes: bool) -> bytes:
    quotes = quotes or any("\r" in (value or "") for row in rows for value in row)  # which csv.writer would not quote
    file = io.StringIO(newline="")
    csv.writer(file, quoting=csv.QUOTE_ALL if quotes else csv.QUOTE_MINIMAL, lineterminator="\n").writerows(rows)
    return b"a,b,c\n" + file.getvalue().encode()


def first_bad(rows: list[list[str | None]], checks: dict[str, Any]) -> int | None:
    """The number of the first row that breaks a rule, as slowly and plainly as can be."""
    seen = set()
    rules = {name: Column(**said) for name, said in checks["columns"].items()}
    for number, row in enumerate(rows, 1):
        named = dict(zip("abc", row, strict=True))
        for name, rule in rules.items():
            value = named[name]
            if (value is None and not rule.nulls) or (value is not None and rule.why_not(value, is_text=True)):
                return number
        key = tuple(named[name] for name in checks["unique"] or ())
        if key and None not in key and key in seen:
            return number
        seen.add(key)
    return None


@pytest.fixture(params=[16, blocks.BLOCK])
def small_blocks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a row or two, and of all rows."""
    cut(monkeypatch, request.param)


def found_in(content: bytes, folder: Path, checks: dict[str, Any]) -> str:
    try:
        return str(check(folder, content, **checks))
    except RuntimeStop as stop:
        return str(stop)


@given(table=tables(), quotes=st.booleans())
@settings(examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_first_row_that_breaks_a_rule_is_found_and_no_other_is_refused(
    small_blocks: None, tmp_path: Path, table: tuple[list[list[str | None]], dict[str, Any]], quotes: bool
) -> None:
    rows, checks = table
    bad = first_bad(rows, checks)
    content = written(rows, quotes=quotes)
    found = found_in(content, tmp_path, checks)
    assert found == str(len(rows)) if bad is None else f", row {bad}" in found, found
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_arrow", lambda: None)
        assert found_in(content, tmp_path, checks) == found


PIECES = st.sampled_from(["1", "a", ",", '"', '""', ',"', '",', "\n", '"\n', '\n"', "\r", "\r\n", "\0", " ", ";", "é"])


@given(text=st.lists(PIECES, max_size=40).map("".join))
@settings(examples(400), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_with_pyarrow_and_without_the_answers_are_the_same_for_any_text(
    small_blocks: None, tmp_path: Path, text: str
) -> None:
    for head, checks in (("a,b\n", {"columns": {"b": {"type": "integer"}}}), ("a\n", {"unique": ["a"]})):
        content = (head + text).encode()
        found = found_in(content, tmp_path, checks)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(blocks, "_arrow", lambda: None)
            assert found_in(content, tmp_path, checks) == found


def test_typed_columns_of_parquet_are_judged_by_their_values(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    path = tmp_path / "x.parquet"
    arrays: dict[str, Any] = {
        "i": pyarrow.array([1, 2, None]),
        "f": pyarrow.array([0.5, float("nan"), None]),
        "t": pyarrow.array([1, 1_000_000_001, None], pyarrow.timestamp("ns")),
        "d": pyarrow.array([date(2026, 1, 1), date(2026, 2, 1), None]),
        "b": pyarrow.array([True, False, None]),
        "s": pyarrow.array(["x", "y", None]).dictionary_encode(),
    }
    pytest.importorskip("pyarrow.parquet").write_table(pyarrow.table(arrays), path)

    def found(**columns: Any) -> str:
        try:
            return str(check_path("x", Checked("x.parquet", columns=columns), path, tmp_path))
        except RuntimeStop as stop:
            return str(stop).partition("), ")[2]

    assert found(i="integer", t="timestamp", d="date", b="boolean", s="string") == "3"
    assert found(i="number", d={"type": "date", "at_most": "2026-02-01"}) == "3"
    assert found(f="number") == "row 2: column 'f' is nan, which is no number"
    assert found(f="integer") == "row 1: column 'f' is 0.5, which is no integer"
    assert found(i="string") == "row 1: column 'i' is 1, which is no text"
    assert found(t="date").startswith("row 1: column 't' is 1970-01-01 00:00:00.000000001, which is no date")
    assert found(d={"type": "date", "at_most": "2026-01-31"}) == "row 2: column 'd' is 2026-02-01, more than 2026-01-31"
    assert found(s={"one_of": ["x"]}) == "row 2: column 's' is 'y', none of 'x'"
    assert found(b={"type": "boolean", "nulls": False}) == "row 3: column 'b' is empty"


def test_a_file_name_with_checks_is_a_file_name(tmp_path: Path) -> None:
    import copy
    import pickle

    name = Checked("scores.csv", rows={"at_least": 1})
    assert (name, tmp_path / name, json.dumps([name])) == ("scores.csv", tmp_path / "scores.csv", '["scores.csv"]')
    assert [each.rows for each in (copy.deepcopy(name), pickle.loads(pickle.dumps(name)))] == [{"at_least": 1}] * 2


def test_nothing_of_what_memory_does_not_hold_stays_behind(tmp_path: Path) -> None:
    with pytest.raises(RuntimeStop):
        check(tmp_path, b"id\n1\n1\n", unique=["id"])
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]


def write_parquet(path: Path, **columns: tuple[list[Any], Any]) -> Any:
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table({name: pyarrow.array(values, kind) for name, (values, kind) in columns.items()})
    pytest.importorskip("pyarrow.parquet").write_table(table, path)


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_moments_that_differ_by_a_nanosecond_are_different(zone: str | None, tmp_path: Path) -> None:
    pyarrow, path = pytest.importorskip("pyarrow"), tmp_path / "x.parquet"
    moments = pyarrow.timestamp("ns", zone)
    write_parquet(path, a=([1, 2, 3000, None, None], moments))
    checked = Checked("x.parquet", unique=["a"], columns={"a": {"type": "timestamp", "at_most": "1970-01-02"}})
    assert check_path("x", checked, path, tmp_path) == 5
    assert check_rows(data_checks(unique=["a"]), *read_rows(path), tmp_path) == 5
    write_parquet(path, a=([1, 2, 3000, 2], moments))
    with pytest.raises(RuntimeStop, match=r"row 4 has the same a 1970-01-01 00:00:00.000000002 as row 2"):
        check_path("x", checked, path, tmp_path)
    with pytest.raises(RuntimeStop, match=r"row 4 has the same a 1970-01-01 00:00:00.000000002 as row 2"):
        check_rows(data_checks(unique=["a"]), *read_rows(path), tmp_path)

    write_parquet(tmp_path / "y.parquet", a=([3000, 4000], moments))  # whole microseconds alone
    sources = [LocalFile(tmp_path / "y.parquet"), LocalFile(path)]
    with pytest.raises(RuntimeStop, match=r"output 'x' \(x.parquet\), row 5 has the same a .* as row 1"):
        check_output("x", Checked("x.parquet", unique=["a"]), sources, tmp_path)


def test_what_python_cannot_hold_and_damaged_pages_end_in_a_sentence(tmp_path: Path) -> None:
    pyarrow, path = pytest.importorskip("pyarrow"), tmp_path / "x.parquet"
    for kind, far in ((pyarrow.timestamp("us"), 9 * 10**18), (pyarrow.date32(), 2**31 - 1)):
        write_parquet(path, a=([0, far], kind))
        for checks in ({"unique": ["a"]}, {"columns": {"a": {"type": "date", "at_least": "1970-01-01"}}}):
            with pytest.raises(RuntimeStop, match=r"output 'x' \(x.parquet\), row 2: column 'a' cannot be read"):
                check_path("x", Checked("x.parquet", **checks), path, tmp_path)
        with pytest.raises(RuntimeStop, match="row 2: column 'a' cannot be read"):
            check_rows(data_checks(unique=["a"]), *read_rows(path), tmp_path)
    write_parquet(path, a=(list(range(9999)), None))
    content = bytearray(path.read_bytes())
    content[100:5000] = bytes(4900)
    path.write_bytes(content)
    with pytest.raises(RuntimeStop, match=r"output 'x' \(x.parquet\): it cannot be read: "):
        check_path("x", Checked("x.parquet", unique=["a"]), path, tmp_path)
    with pytest.raises(RuntimeStop, match=r"^x.parquet: "):
        read_rows(path)


def test_a_byte_order_mark_in_a_field_is_text(way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut(monkeypatch, 4)
    for content, row in (("a\n\ufeff\n1\n", 1), ("\ufeffa\n1\n\ufeff\n", 2)):
        with pytest.raises(RuntimeStop, match=f"row {row}: column 'a' is '.ufeff', which is no date"):
            check(tmp_path, content.replace("1", "2026-01-01").encode(), columns={"a": "date"})
    with pytest.raises(RuntimeStop, match=r"row 2 has the same a '.ufeff' as row 1"):
        check(tmp_path, "a\n\ufeff\n\ufeff\n".encode(), unique=["a"])


@pytest.mark.parametrize("head", ["text", '"text"'])
def test_an_only_column_may_hold_quotes(head: str, way: str, tmp_path: Path) -> None:
    content = f'{head}\n"a, b"\nsay "hi"\n5" disk\n'.encode()
    assert check(tmp_path, content, columns={"text": {"type": "string", "nulls": False}}) == 3
    with pytest.raises(RuntimeStop, match="row 2: column 'text' is 'say \"hi\"', which does not match"):
        check(tmp_path, content, columns={"text": {"matches": "[a, b]*"}})
