"""Files that are plainly not what their names say."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.runtime.arrival import check_arrived
from windlass.runtime.errors import RuntimeStop

GZIP = gzip.compress(b"id\n")


def arrive(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    check_arrived("data", folder / name)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", GZIP, "input 'data': a.csv is gzip inside"),
        ("a.csv", b"PAR1....PAR1", "a.csv is Parquet inside"),
        ("a.csv", b"PK\x03\x04...", "a.csv is a zip archive"),
        ("a.csv", "id".encode("utf-16"), "a.csv is UTF-16 text inside"),
        ("a.json", GZIP, "a.json is gzip inside"),
        ("a.csv.gz", b"id\n", "a.csv.gz is not gzip, as its ending says"),
        ("a.csv.zst", GZIP, "a.csv.zst is not zstd, as its ending says"),
        ("a.parquet", b"id\n", "a.parquet is not Parquet, as its ending says"),
        ("a.parquet", b"PAR1 and then the connection broke", "a.parquet is cut off: Parquet ends with PAR1"),
        ("a.jsonl", b"id,name\n", "a.jsonl has a first line that is not JSON"),
    ],
)
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(RuntimeStop) as stop:
        arrive(tmp_path, name, content)
    assert message in str(stop.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b""),
        ("a.csv", b"id;name\r\n1;\xff\x00\n"),
        ("a.csv", "id,Größe\n".encode("latin-1")),
        ("a.csv.gz", GZIP),
        ("a.jsonl", b'{"a": 1}\nnot JSON\n'),
        ("a.jsonl", b'"' + b"x" * 3_000_000 + b'"'),
        ("a.parquet", b"PAR1....PAR1"),
        ("a.bin", GZIP),
        ("weights", b"PK\x03\x04"),
    ],
)
def test_what_may_be_right_is_left_alone(tmp_path: Path, name: str, content: bytes) -> None:
    arrive(tmp_path, name, content)


@given(st.text())
def test_any_text_in_utf_8_is_a_csv_file(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    content = text.encode()
    if content.startswith((b"PAR1", b"PK\x03\x04")):
        return
    arrive(tmp_path_factory.getbasetemp(), "any.csv", content)
