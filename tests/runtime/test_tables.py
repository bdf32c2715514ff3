"""Files keep their values through every change of format."""

import json
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from windlass.runtime import tables
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.rows import read_rows
from windlass.runtime.tables import convert, format_of

CSV = 'id,note,score,day\r\n1,,0.5,2026-01-31\r\n2,"",,\r\n3,"two\r\nlines, ""quoted""",-1e300,2026-02-01\r\n'
ROWS = [
    {"id": 1, "note": None, "score": 0.5, "day": "2026-01-31"},
    {"id": 2, "note": "", "score": None, "day": None},
    {"id": 3, "note": 'two\r\nlines, "quoted"', "score": -1e300, "day": "2026-02-01"},
]


def source(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("way", [(), ("parquet",), ("jsonl", "parquet"), ("parquet", "csv"), ("csv", "jsonl", "csv")])
def test_values_nulls_and_empty_text_survive_every_way(way: tuple[str, ...], tmp_path: Path) -> None:
    path = source(tmp_path, "start.csv", CSV)
    for number, ending in enumerate((*way, "jsonl")):
        target = tmp_path / f"{number}.{ending}"
        assert convert(path, target, {"day": "date"} if path.suffix != ".jsonl" else {"day": "string"}) == 3
        path = target
    assert lines(path) == ROWS


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_a_file_without_rows_keeps_its_columns(ending: str, tmp_path: Path) -> None:
    parquet, target = tmp_path / "x.parquet", tmp_path / f"y.{ending}"
    assert convert(source(tmp_path, "x.csv", "a,b\n"), parquet) == 0
    assert convert(parquet, target) == 0
    assert ending == "jsonl" or read_rows(target)[0] == ["a", "b"]


def test_a_type_can_be_named(tmp_path: Path) -> None:
    path = source(tmp_path, "x.csv", "id,zip,at\n1,01234,2026-01-31 10:00:00\n")
    convert(path, tmp_path / "x.jsonl", {"zip": "string", "id": "number", "at": "timestamp"})
    assert lines(tmp_path / "x.jsonl") == [{"id": 1.0, "zip": "01234", "at": "2026-01-31T10:00:00"}]


def test_a_text_that_means_null_elsewhere_stays_text(tmp_path: Path) -> None:
    path = source(tmp_path, "x.csv", "country\nNA\nNULL\nnan\n")
    convert(path, tmp_path / "x.jsonl")
    assert [row["country"] for row in lines(tmp_path / "x.jsonl")] == ["NA", "NULL", "nan"]


def test_what_json_lacks_becomes_null_or_text(tmp_path: Path) -> None:
    from decimal import Decimal

    table = pyarrow.table({"x": [float("nan"), 1.0], "y": [Decimal("1.10"), None], "z": [{"a": [1]}, None]})
    pyarrow.parquet.write_table(table, tmp_path / "x.parquet")
    convert(tmp_path / "x.parquet", tmp_path / "x.jsonl")
    assert lines(tmp_path / "x.jsonl") == [{"x": None, "y": "1.10", "z": {"a": [1]}}, {"x": 1.0, "y": None, "z": None}]


@pytest.mark.parametrize(
    ("name", "content", "types", "reason"),
    [
        ("x.csv", "", {}, "x.csv is empty"),
        ("x.jsonl", "", {}, "x.jsonl is empty"),
        ("x.csv", "a,b\n1\n", {}, "x.csv: CSV parse error: Expected 2 columns, got 1"),
        ("x.csv", "a\nx\n", {"a": "integer"}, "x.csv: .*a wrong guess of a column's type is corrected by types"),
        ("x.csv", "a\n1\n", {"b": "integer"}, r"types: x.csv has no column 'b'; it has \['a'\]"),
        ("x.jsonl", "{]\n", {}, "x.jsonl: JSON parse error"),
        ("x.parquet", "no", {}, "x.parquet: "),
        ("x.csv", b"a\n\xff\n", {"a": "string"}, "x.csv: .*UTF8"),
    ],
)
def test_what_cannot_be_converted_is_one_sentence(
    name: str, content: str | bytes, types: dict[str, str], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeStop, match=reason) as caught:
        convert(source(tmp_path, name, content), tmp_path / "out.parquet", types)
    assert "\n" not in str(caught.value)


def test_the_nulls_of_an_only_column_are_rows(tmp_path: Path) -> None:
    path = source(tmp_path, "x.csv", 'a\nx\n\n""\n')
    assert convert(path, tmp_path / "x.jsonl") == 3
    assert lines(tmp_path / "x.jsonl") == [{"a": "x"}, {"a": None}, {"a": ""}]


def test_a_map_becomes_a_list_of_pairs(tmp_path: Path) -> None:
    column = pyarrow.array([[("a", 1)]], type=pyarrow.map_(pyarrow.string(), pyarrow.int64()))
    pyarrow.parquet.write_table(pyarrow.table({"x": column}), tmp_path / "x.parquet")
    convert(tmp_path / "x.parquet", tmp_path / "x.jsonl")
    assert lines(tmp_path / "x.jsonl") == [{"x": [["a", 1]]}]


def test_of_two_columns_with_one_name_none_gets_lost(tmp_path: Path) -> None:
    with pytest.raises(RuntimeStop, match=r"x\.csv has several columns 'a'"):
        convert(source(tmp_path, "x.csv", "a,b,a\n1,2,3\n"), tmp_path / "x.jsonl")


def test_bytes_have_no_place_in_json(tmp_path: Path) -> None:
    pyarrow.parquet.write_table(pyarrow.table({"x": [b"\xff"]}), tmp_path / "x.parquet")
    with pytest.raises(RuntimeStop, match="JSON has no bytes"):
        convert(tmp_path / "x.parquet", tmp_path / "x.jsonl")


def test_a_large_file_is_read_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_BLOCK", 4096)
    path = source(tmp_path, "x.csv", "a,b\n" + "".join(f'{i},"line\n{i}"\n' for i in range(3000)))
    before = pyarrow.total_allocated_bytes()
    assert convert(path, tmp_path / "x.jsonl") == 3000
    assert lines(tmp_path / "x.jsonl")[-1] == {"a": 2999, "b": "line\n2999"}
    assert sum(1 for _ in tables.read_batches(tmp_path / "x.jsonl")) > 10
    assert pyarrow.total_allocated_bytes() - before < 1_000_000


def test_a_later_value_that_does_not_fit_ends_the_conversion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_BLOCK", 64)
    path = source(tmp_path, "x.csv", "a\n" + "1\n" * 100 + "many\n")
    with pytest.raises(RuntimeStop, match=r"'many'.*corrected by types"):
        convert(path, tmp_path / "x.parquet")
    assert convert(path, tmp_path / "x.parquet", {"a": "string"}) == 101


def test_the_ending_tells_the_format() -> None:
    assert [format_of(name) for name in ("a.csv", "a.b.parquet", "x.jsonl")] == [".csv", ".parquet", ".jsonl"]
    with pytest.raises(ValueError, match=r"'x\.json' has none of the endings"):
        format_of("x.json")
