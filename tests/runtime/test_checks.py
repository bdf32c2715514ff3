"""The first row that breaks a rule is named, whatever the format of the file."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windlass.runtime.checks import Checks, RowCheck, check_rows, data_checks
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.rows import read_rows
from windlass.runtime.values import Column
from windlass.spec.port import Output

COLUMNS = ["id", "age"]
ROWS = [["1", "30"], ["2", None], ["3", "41.5"]]


def check(folder: Path, given_rows: list[list[Any]], **rules: Any) -> int:
    return check_rows(data_checks(**rules), COLUMNS, iter(given_rows), folder)


@pytest.mark.parametrize(
    "rules",
    [
        {"rows": {"at_least": 3, "at_most": 3}},
        {"columns": ["id", "age"]},
        {"not_null": ["id"]},
        {"ranges": {"age": {"at_least": 30, "at_most": 41.5}}},
        {"ranges": {"id": {"at_least": "1", "at_most": "3"}}},
        {"unique": ["id"]},
        {"unique": ["id", "age"]},
    ],
)
def test_rows_that_keep_the_rules_are_counted(rules: dict[str, Any], tmp_path: Path) -> None:
    assert check(tmp_path, ROWS, **rules) == 3


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"rows": {"at_least": 4}}, "the number of rows is 3, less than 4"),
        ({"rows": {"at_most": 2}}, "the number of rows is 3, more than 2"),
        ({"columns": ["age", "id"]}, r"the columns are \['id', 'age'\], not \['age', 'id'\]"),
        ({"not_null": ["id", "age"]}, "row 2: column 'age' is empty"),
        ({"ranges": {"age": {"at_least": 31}}}, "row 1: column 'age' is '30', less than 31"),
        ({"ranges": {"age": {"at_most": 41}}}, r"row 3: column 'age' is '41\.5', more than 41"),
        ({"ranges": {"id": {"at_least": "2"}}}, "row 1: column 'id' is '1', less than 2"),
        ({"unique": ["name"]}, r"there is no column 'name' to check; the columns are \['id', 'age'\]"),
    ],
)
def test_the_first_row_that_breaks_a_rule_is_named(rules: dict[str, Any], reason: str, tmp_path: Path) -> None:
    with pytest.raises(RuntimeStop, match=reason):
        check(tmp_path, ROWS, **rules)


def test_what_must_be_a_number_and_is_none_is_named(tmp_path: Path) -> None:
    for value in ("many", "nan", float("nan"), [1], "1_000", True):
        with pytest.raises(RuntimeStop, match=r"row 1: column 'age' is .*, which is no number"):
            check(tmp_path, [["1", value]], ranges={"age": {"at_least": 0}})


def test_two_rows_with_the_same_key_are_both_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeStop, match="row 3 has the same id '1', age '2' as row 1"):
        check(tmp_path, [["1", "2"], ["1", "3"], ["1", "2"]], unique=["id", "age"])


def test_keys_with_a_null_are_not_compared(tmp_path: Path) -> None:
    assert check(tmp_path, [["1", None], ["1", None]], unique=["id", "age"]) == 2


@given(keys=st.lists(st.tuples(st.text(max_size=2), st.integers(0, 3)), max_size=30))
@settings(deadline=None, max_examples=60)
def test_unique_finds_the_first_of_all_duplicates(
    keys: list[tuple[str, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("unique")
    first = next((i for i, key in enumerate(keys, 1) if key in keys[: i - 1]), None)
    rows = [list(key) for key in keys]
    if first is None:
        assert check(folder, rows, unique=COLUMNS) == len(keys)
    else:
        with pytest.raises(RuntimeStop, match=rf"row {first} has the same"):
            check(folder, rows, unique=COLUMNS)


def test_a_row_with_too_few_or_too_many_fields_is_named(tmp_path: Path) -> None:
    for row in (["1"], ["1", "2", "3"]):
        with pytest.raises(RuntimeStop, match=f"row 2 has {len(row)} fields, the header 2"):
            check(tmp_path, [["1", "2"], row], unique=["id"])


def test_bounds_must_be_of_one_kind() -> None:
    with pytest.raises(ValueError, match="either both numbers or both text"):
        data_checks(ranges={"id": {"at_least": 1, "at_most": "2"}})


CONTENT = {
    "data.csv": '\ufeffid,note\r\n1,"two\r\nlines"\r\n\r\n2,\r\n',
    "data.jsonl": '{"id": "1", "note": "two\\r\\nlines"}\n\n{"id": "2"}\n',
}


@pytest.mark.parametrize("name", CONTENT)
def test_rows_are_read_alike_from_every_format(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(CONTENT[name], encoding="utf-8", newline="")
    columns, rows = read_rows(path)
    assert (columns, list(rows)) == (["id", "note"], [["1", "two\r\nlines"], ["2", None]])


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.csv", b"", "x.csv has no header"),
        ("x.csv", b"a\n\xff\n", "x.csv is not UTF-8 text, somewhere after line 0"),
        ("x.csv", b"\xff\n", "x.csv: the header cannot be read"),
        ("x.jsonl", b'{"a": 1}\n{"a": \n', "x.jsonl, line 2: "),
        ("x.jsonl", b'{"a": ' + b"[" * 200_000, "x.jsonl, line 1: maximum recursion depth"),
        ("x.jsonl", b"[1]\n", "x.jsonl, line 1 is no JSON object"),
        ("x.jsonl", b'{"a": 1}\n{"b": 1}\n', "x.jsonl, row 2 has 'b', which the first row lacks"),
    ],
)
def test_what_cannot_be_read_is_refused(name: str, content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(RuntimeStop, match=reason):
        list(read_rows(path)[1])


def test_the_nulls_of_an_only_column_are_rows(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"a\nx\n\ny\n")
    columns, rows = read_rows(tmp_path / "x.csv")
    with pytest.raises(RuntimeStop, match="row 2: column 'a' is empty"):
        check_rows(Checks(columns={"a": Column(nulls=False)}), columns, rows, tmp_path)


@pytest.mark.parametrize("name", ["x.csv", "x.jsonl"])
def test_a_line_that_would_fill_the_memory_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("windlass.runtime.rows.LONGEST_FIELD", 1000)
    (tmp_path / name).write_text("a\n" + "x" * 1001 if name == "x.csv" else '{"a": "' + "x" * 1001)
    with pytest.raises(RuntimeStop, match=r"line \d is longer than"):
        list(read_rows(tmp_path / name)[1])


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'x\.txt' has none of the endings \.csv, \.parquet, \.jsonl"):
        read_rows(tmp_path / "x.txt")


def test_memory_does_not_grow_with_the_keys(tmp_path: Path) -> None:
    import tracemalloc

    rows = ([str(number), json.dumps(number)] for number in range(5_000))
    tracemalloc.start()
    try:
        assert check_rows(Checks(unique=["id"]), COLUMNS, rows, tmp_path) == 5_000
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()


def test_a_full_disk_is_named_where_keys_are_remembered(tmp_path: Path) -> None:
    with RowCheck(Checks(unique=["a"]), tmp_path) as check:
        assert check._seen is not None
        check._seen._database.execute("PRAGMA max_page_count = 4")
        with pytest.raises(RuntimeStop, match=r"what is unique cannot be remembered in .*full"):
            check.check(["a"], ([str(number) * 9] for number in range(9999)), is_text=True)
        with pytest.raises(RuntimeStop, match=r"what is unique cannot be remembered in .*full"):
            check.are_new([str(number) * 9] for number in range(9999, 19999))


@pytest.mark.parametrize(
    ("kind", "bound"), [("date", "20260131"), ("date", "2026-W05-6"), ("timestamp", "2026-01-31T06"), ("date", "soon")]
)
def test_a_bound_that_no_value_could_be_compared_with_is_refused(kind: str, bound: str) -> None:
    for key in ("at_least", "at_most"):
        with pytest.raises(ValueError, match=f"'{bound}' is no {kind}"):
            Column(kind, **{key: bound})
        with pytest.raises(ValueError, match=f"'{bound}' is no {kind}"):
            Output.model_validate({"file": "x.csv", "columns": {"a": {"type": kind, key: bound}}})


def test_bounds_of_timestamps_are_moments_not_text() -> None:
    zones = {"at_least": "2026-01-01T00:00+05:00", "at_most": "2025-12-31T20:00Z"}
    Output.model_validate({"file": "x.csv", "columns": {"a": {"type": "timestamp", **zones}}})
    turned = {"at_least": "2025-12-31T20:00Z", "at_most": "2026-01-01T00:00+05:00"}
    with pytest.raises(ValueError, match="is more than at_most"):
        Output.model_validate({"file": "x.csv", "columns": {"a": {"type": "timestamp", **turned}}})
