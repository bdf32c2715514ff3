"""Objects as streams over a real HTTP server: a lost connection does not end a read, and nothing half is left."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from botocore.exceptions import ClientError, ResponseStreamingError

from tests.fakes.s3_server import CREDENTIALS, moto_server
from windlass.runtime import cutting, s3_streams
from windlass.runtime.csv_dialect import Dialect
from windlass.runtime.csv_text import Cut
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.settings import Settings
from windlass.runtime.storage import Storage, _client
from windlass.runtime.task_files import TaskFiles
from windlass.runtime.task_streams import merge_input, split_input

MIB = 1024 * 1024
CONTENT = b"id,text\n" + b"".join(b'%d,"two\nlines %d"\n' % (i, i) for i in range(12_000))


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_server("data") as address:
        yield address


@cache
def real(endpoint: str) -> Any:
    """boto3's own client, made once: that takes a while."""
    return _client(endpoint)


@dataclass
class Body:
    """The body of an answer; `fails` says before which of all reads the connection is lost."""

    body: Any
    client: "Client"

    def read(self, size: int | None = None) -> bytes:
        self.client.reads += 1
        if self.client.reads in self.client.fails:
            raise ResponseStreamingError(error="connection lost")
        return self.body.read(size)

    def close(self) -> None:
        self.body.close()


@dataclass
class Client:
    """boto3's client, of which chosen calls fail."""

    client: Any
    fails: set[int] = field(default_factory=set)
    fails_at: dict[str, int] = field(default_factory=dict)
    reads: int = 0
    calls: dict[str, list[Any]] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        def call(**arguments: Any) -> Any:
            made = self.calls.setdefault(name, [])
            made.append(arguments)
            if self.fails_at.get(name) == len(made):
                raise ClientError({"Error": {"Code": "SlowDown"}}, name)
            answer = getattr(self.client, name)(**arguments)
            if name == "get_object":
                answer["Body"] = Body(answer["Body"], self)
            return answer

        return call


@dataclass
class Instance:
    """What a task's files need of Airflow's task instance."""

    dag_id = "d"
    task_id = "t"
    run_id = "r"
    try_number = 1
    map_index = -1
    pushed: dict[str, Any] = field(default_factory=dict)

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


def files_of(client: Any, endpoint: str, folder: Path) -> tuple[TaskFiles, Instance]:
    settings = Settings("dev", "dev", "data", "models", endpoint, "local", {}, {}, {})
    instance = Instance()
    return TaskFiles(folder, settings, Storage(endpoint, client), SimpleNamespace(outputs={}), instance), instance


def put(endpoint: str, name: str, content: bytes) -> dict[str, Any]:
    real(endpoint).put_object(Bucket="data", Key=name, Body=content)
    return {"key": name, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "name": name}


def content_of(endpoint: str, key: str) -> bytes:
    return real(endpoint).get_object(Bucket="data", Key=key)["Body"].read()


def left(endpoint: str, prefix: str) -> tuple[int, int]:
    """How many objects and how many unfinished uploads there are."""
    client = real(endpoint)
    uploads = client.list_multipart_uploads(Bucket="data").get("Uploads", [])
    return client.list_objects_v2(Bucket="data", Prefix=prefix)["KeyCount"], len(uploads)


@pytest.mark.parametrize("cut", [Cut(rows=3000), Cut(size=80_000), Cut(parts=4)])
@pytest.mark.parametrize("name", ["orders.csv", "orders.csv.gz", "orders.csv.zst"])
def test_a_file_is_split_and_merged_from_s3_to_s3(name: str, cut: Cut, endpoint: str, tmp_path: Path) -> None:
    files, instance = files_of(real(endpoint), endpoint, tmp_path)
    merge_input(files, [put(endpoint, "whole.csv", CONTENT)], name, Dialect())
    parts = split_input(files, instance.pushed["data"], name, cut, Dialect(), 99)
    assert instance.pushed["parts"] == parts and len(parts) > 3
    for part in parts:
        content = content_of(endpoint, part["key"])
        assert (part["sha256"], part["size"]) == (hashlib.sha256(content).hexdigest(), len(content))
    merge_input(files, parts, "again.csv", Dialect())
    assert content_of(endpoint, instance.pushed["data"]["key"]) == CONTENT
    assert list(tmp_path.iterdir()) == []


def test_parquet_is_fetched_and_streamed_back(endpoint: str, tmp_path: Path) -> None:
    table = pyarrow.table({"id": range(1000)})
    pyarrow.parquet.write_table(table, tmp_path / "t")
    files, instance = files_of(real(endpoint), endpoint, tmp_path)
    reference = put(endpoint, "t.parquet", (tmp_path / "t").read_bytes())
    parts = split_input(files, reference, "t.parquet", Cut(parts=3), Dialect(), 99)
    merge_input(files, parts, "w.parquet", Dialect())
    assert len(parts) == 3
    whole = content_of(endpoint, instance.pushed["data"]["key"])
    assert pyarrow.parquet.read_table(pyarrow.BufferReader(whole)).equals(table)


def test_a_lost_connection_is_opened_again_where_it_broke_at_every_read(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "SEGMENT", 100_000)
    reference = put(endpoint, "orders.csv", CONTENT)
    counting = Client(real(endpoint))
    split_input(files_of(counting, endpoint, tmp_path)[0], reference, "x.csv", Cut(parts=2), Dialect(), 9)
    assert counting.reads > 3
    for number in range(1, counting.reads + 1):
        client = Client(real(endpoint), fails={number})
        files, instance = files_of(client, endpoint, tmp_path)
        parts = split_input(files, reference, "x.csv", Cut(parts=2), Dialect(), 9)
        assert [content_of(endpoint, part["key"])[:8] for part in parts] == [b"id,text\n"] * 2
        merge_input(files, parts, "y.csv", Dialect())
        assert instance.pushed["data"]["sha256"] == reference["sha256"]
        assert len(client.calls["get_object"]) == 4  # the file twice, each part once
        again = client.calls["get_object"][1]
        assert number == 1 or (again["Range"].startswith("bytes=") and again["IfMatch"])


def test_a_connection_that_is_lost_for_good_and_a_changed_object_are_named(endpoint: str, tmp_path: Path) -> None:
    reference = put(endpoint, "orders.csv", CONTENT)
    client = Client(real(endpoint), fails=set(range(2, 99)))
    files, instance = files_of(client, endpoint, tmp_path)
    with pytest.raises(RuntimeStop, match=r"cannot be reached for s3://data/orders\.csv"):
        split_input(files, reference, "lost.csv", Cut(parts=2), Dialect(), 9)
    assert client.reads == 5 and instance.pushed == {}

    with Storage(endpoint, real(endpoint)).reader("data", "orders.csv") as reader:
        assert reader.read(8) == b"id,text\n"
        put(endpoint, "orders.csv", CONTENT + b"1,x\n")
        reader._close()
        with pytest.raises(RuntimeStop, match="was changed while it was read"):
            reader.read(8)
    files, instance = files_of(real(endpoint), endpoint, tmp_path)
    with pytest.raises(RuntimeStop, match=r"s3://data/orders\.csv is not what was kept"):
        split_input(files, reference, "lost.csv", Cut(parts=2), Dialect(), 9)
    assert instance.pushed == {}


def test_a_large_object_goes_up_in_parts_as_it_comes(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_streams, "PART", 5 * MIB)
    client, digest = Client(real(endpoint)), hashlib.sha256()
    with Storage(endpoint, client).writer("data", "large.bin") as out:
        for number in range(40):
            piece = bytes([number]) * 300_000
            digest.update(piece)
            out.write(memoryview(piece))
    assert out.sha256 == digest.hexdigest() == hashlib.sha256(content_of(endpoint, "large.bin")).hexdigest()
    assert [len(call["Body"]) for call in client.calls["upload_part"]] == [5 * MIB, 5 * MIB, 12_000_000 - 10 * MIB]


def test_a_failure_at_any_call_leaves_neither_an_object_nor_an_upload(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_streams, "PART", 5 * MIB)
    points = [("create_multipart_upload", 1), ("complete_multipart_upload", 1), ("put_object", 1)]
    points += [("upload_part", number) for number in (1, 2, 3)]
    for name, number in points:
        client = Client(real(endpoint), fails_at={name: number})
        size = 1000 if name == "put_object" else 11 * MIB
        with pytest.raises(RuntimeStop, match=r"S3 answers SlowDown for s3://data/failed/x"):
            write_failed(Storage(endpoint, client), size)
        assert left(endpoint, "failed/") == (0, 0), (name, number)
    with pytest.raises(KeyboardInterrupt):
        write_failed(Storage(endpoint, real(endpoint)), 6 * MIB, KeyboardInterrupt)
    assert left(endpoint, "failed/") == (0, 0)


def write_failed(storage: Storage, size: int, stop: type[BaseException] | None = None) -> None:
    """Writes an object, and stops before its end if that is wanted."""
    with storage.writer("data", "failed/x") as out:
        for _ in range(0, size, MIB):
            out.write(b"x" * min(MIB, size))
        if stop is not None:
            raise stop


def test_too_many_parts_leave_the_task_without_an_output(endpoint: str, tmp_path: Path) -> None:
    files, instance = files_of(real(endpoint), endpoint, tmp_path)
    with pytest.raises(RuntimeStop, match=r"orders\.csv makes more than 3 parts; make them larger"):
        split_input(files, put(endpoint, "orders.csv", CONTENT), "x.csv", Cut(rows=10), Dialect(), 3)
    assert instance.pushed == {}
    with pytest.raises(RuntimeStop, match=r"input 'data': 'orders\.txt' is none of"):
        split_input(files, put(endpoint, "orders.txt", CONTENT), "x.csv", Cut(rows=10), Dialect(), 3)


def test_a_store_that_knows_no_conditions_does_not_mix_two_objects(endpoint: str) -> None:
    class Forgetful(Client):
        def __getattr__(self, name: str) -> Any:
            call = super().__getattr__(name)
            return lambda **arguments: call(**{key: arguments[key] for key in arguments if key != "IfMatch"})

    put(endpoint, "orders.csv", CONTENT)
    with Storage(endpoint, Forgetful(real(endpoint), fails={2})).reader("data", "orders.csv") as reader:
        assert reader.read(8) == b"id,text\n"
        put(endpoint, "orders.csv", CONTENT + b"1,x\n")
        with pytest.raises(RuntimeStop, match="was changed while it was read"):
            reader.read(8)
