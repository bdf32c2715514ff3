"""Files that are plainly not what their names say."""

import gzip
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.runtime.arrival import check_arrived, check_pieces
from windlass.runtime.container_job import container_job
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.settings import Settings

GZIP = gzip.compress(b"id\n", mtime=0)


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


class Pieces:
    """A store whose objects have one content, as far as an arrival check looks; it notes what is read."""

    def __init__(self, content: bytes) -> None:
        self.content, self.read = content, list[tuple[str, int, int]]()

    def piece(self, bucket: str, key: str, begin: int, count: int) -> bytes:
        assert bucket == "data"
        self.read.append((key, begin, count))
        return self.content[begin : begin + count]


def in_containers(content: bytes, value: Any) -> Pieces:
    store = Pieces(content)
    settings = Settings("dev", "dev", "data", "models", None, "docker", {}, {"image": "image:1"}, {})
    instance = SimpleNamespace(dag_id="it", task_id="job", run_id="r", try_number=1, map_index=-1)
    task = SimpleNamespace(
        inputs={"data": value},
        outputs={},
        parameters={},
        execution_script="true",
        execution_time=timedelta(minutes=1),
        docker_image="image",
        resource_flavor=None,
        rendered=lambda script, context: script.text,
    )
    container_job(task, {"ti": instance}, settings, store)
    return store


def stored(name: str, content: bytes) -> dict[str, Any]:
    return {"key": f"dev/{name}", "sha256": "0" * 64, "size": len(content), "name": name}


@pytest.mark.parametrize("several", [False, True])
def test_a_job_in_containers_is_refused_such_a_file_before_one_starts(several: bool) -> None:
    file = stored("a.csv", GZIP)
    with pytest.raises(RuntimeStop, match=r"input 'data': a\.csv is gzip inside"):
        in_containers(GZIP, [stored("b.bin", GZIP), file] if several else file)


@pytest.mark.parametrize(
    ("name", "content", "pieces"),
    [
        ("a.csv", b"id\n1\n", [("dev/a.csv", 0, 4)]),
        ("a.parquet", b"PAR1....PAR1", [("dev/a.parquet", 0, 4), ("dev/a.parquet", 8, 4)]),
        ("a.bin", b"anything", []),
        ("a.csv", b"", []),
    ],
)
def test_of_a_file_that_lies_elsewhere_a_few_bytes_are_read(
    name: str, content: bytes, pieces: list[tuple[str, int, int]]
) -> None:
    assert in_containers(content, stored(name, content)).read == pieces


def test_an_object_that_is_shorter_than_it_was_is_left_to_the_comparison_of_digests() -> None:
    check_pieces("data", "a.csv", 10, lambda begin, count: b"")
