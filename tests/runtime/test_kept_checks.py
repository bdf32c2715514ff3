"""What the tasks of a release keep is checked before it is passed on, wherever it was written."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fakes.s3_server import CREDENTIALS, moto_server
from windlass.runtime.checked import Checked
from windlass.runtime.container_job import kept_references
from windlass.runtime.csv_dialect import Dialect
from windlass.runtime.csv_text import Cut
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.settings import Settings
from windlass.runtime.storage import Storage, _client
from windlass.runtime.task_files import TaskFiles
from windlass.runtime.task_streams import merge_input, split_input

GOOD, WRONG = b"id\n1\n2\n3\n", b"id\n1\n2\n2\n"
WORDS = r"output '\w+' \(x[-0-9]*\.csv\), row 3 has the same id '2' as row 2"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_server("data") as address:
        yield address


@cache
def storage(endpoint: str) -> Storage:
    """One client: to make it takes a while."""
    return Storage(endpoint, _client(endpoint))


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


def task(port: str) -> Any:
    log = SimpleNamespace(info=lambda *_: None)
    return SimpleNamespace(log=log, outputs={port: Checked("x.csv", columns={"id": "integer"}, unique=["id"])})


def settings(endpoint: str) -> Settings:
    return Settings("dev", "dev", "data", "models", endpoint, "local", {}, {}, {})


def files_of(endpoint: str, folder: Path, port: str) -> tuple[TaskFiles, Instance]:
    instance = Instance()
    return TaskFiles(folder, settings(endpoint), storage(endpoint), task(port), instance), instance


def stored(endpoint: str, folder: Path, content: bytes) -> dict[str, Any]:
    path = folder / "source.csv"
    path.write_bytes(content)
    return storage(endpoint).keep("data", "source.csv", path)


def test_an_operators_file_is_passed_on_only_when_it_is_as_it_must_be(endpoint: str, tmp_path: Path) -> None:
    files, instance = files_of(endpoint, tmp_path, "data")
    files.output("data").write_bytes(WRONG)
    with pytest.raises(RuntimeStop, match=WORDS):
        files.keep("data")
    assert instance.pushed == {}
    files.output("data").write_bytes(GOOD)
    files.keep("data")
    assert instance.pushed["data"]["sha256"] == hashlib.sha256(GOOD).hexdigest()


def test_files_that_are_streamed_are_passed_on_only_when_they_are_as_they_must_be(
    endpoint: str, tmp_path: Path
) -> None:
    for content, port in ((WRONG, "data"), (GOOD, "data"), (WRONG, "parts"), (GOOD, "parts")):
        files, instance = files_of(endpoint, tmp_path, port)
        source = stored(endpoint, tmp_path, content)

        def act(files: TaskFiles = files, source: Any = source, port: str = port) -> None:
            if port == "data":
                merge_input(files, [source], "x.csv", Dialect())
            else:
                split_input(files, source, "x.csv", Cut(rows=1), Dialect(), 9)

        if content == GOOD:
            act()
            assert list(instance.pushed) == [port]
        else:
            with pytest.raises(RuntimeStop, match=WORDS):
                act()
            assert instance.pushed == {}


def test_what_a_container_kept_is_checked_as_it_comes_from_the_store(endpoint: str, tmp_path: Path) -> None:
    context, own = {"ti": Instance()}, "dev/transfer/d/r/t/1-0/x.csv"
    for content in (GOOD, WRONG):
        path = tmp_path / "x.csv"
        path.write_bytes(content)
        storage(endpoint).keep("data", own, path)
        if content == GOOD:
            found = kept_references(task("scores"), context, settings(endpoint), storage(endpoint))
            assert json.loads(json.dumps(found))["scores"]["size"] == len(GOOD)
        else:
            with pytest.raises(RuntimeStop, match=WORDS):
                kept_references(task("scores"), context, settings(endpoint), storage(endpoint))


def test_an_object_that_was_changed_since_it_was_kept_is_refused(endpoint: str, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(GOOD)
    store = storage(endpoint)
    kept = store.keep("data", "dev/transfer/d/r/t/1-0/x.csv", path)
    store._client.put_object(Bucket="data", Key=kept["key"], Body=b"id\n1\n2\n4\n", Metadata={"sha256": kept["sha256"]})
    with pytest.raises(RuntimeStop, match="is not what was kept"):
        kept_references(task("scores"), {"ti": Instance()}, settings(endpoint), store)
