"""What the tests of jobs in containers share: one podman, one S3 server, and a job as Airflow would run it."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fakes.podman import Podman, podman_service
from tests.fakes.s3_server import CREDENTIALS, moto_server
from windlass.runtime.settings import Settings
from windlass.runtime.storage import Storage


@pytest.fixture(scope="session")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Podman]:
    if os.geteuid() != 0 or not all(shutil.which(name) for name in ("podman", "runc", "/bin/busybox")):
        pytest.skip("needs root and the packages podman, runc and busybox-static")
    with podman_service(tmp_path_factory.mktemp("podman")) as found:
        yield found


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    before = {name: os.environ.get(name) for name in CREDENTIALS}
    os.environ.update(CREDENTIALS)
    with moto_server("code", "models", "data") as found:
        yield found
    for name, value in before.items():
        os.environ.pop(name)
        if value is not None:
            os.environ[name] = value


@pytest.fixture(scope="session")
def storage(endpoint: str) -> Storage:
    return Storage(endpoint)


@pytest.fixture(scope="session")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where Airflow writes its configuration: not into the home of who runs the tests."""
    before = os.environ.get("AIRFLOW_HOME")
    os.environ["AIRFLOW_HOME"] = str(tmp_path_factory.mktemp("airflow"))
    yield
    os.environ.pop("AIRFLOW_HOME")
    if before is not None:
        os.environ["AIRFLOW_HOME"] = before


class Instance(SimpleNamespace):
    """A task instance, as far as a job looks at it."""

    def __init__(self, task: str, number: int = 1) -> None:
        super().__init__(dag_id="it", task_id=task, run_id="manual__2026-01-01T00:00:00+00:00", try_number=number)
        self.map_index = -1
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        self.pushed[key] = value


def make_job(script: str, seconds: float = 60, **arguments: Any) -> tuple[Any, dict[str, Any]]:
    """A JobOperator with the context in which it runs."""
    from windlass.operators.job import JobOperator

    task = JobOperator(
        task_id=arguments.pop("task_id", "job"),
        execution_script=script,
        docker_image="user",
        resource_flavor="small",
        execution_time=timedelta(seconds=seconds),
        **arguments,
    )
    instance = Instance(task.task_id)
    return task, {"ti": instance, "run_id": instance.run_id, "dag": SimpleNamespace(), "params": {"said": "a b"}}


@pytest.fixture
def job(airflow_home: None) -> Callable[..., tuple[Any, dict[str, Any]]]:
    return make_job


def settings_for(endpoint: str, jobs: dict[str, Any]) -> Settings:
    return Settings(
        name="dev",
        prefix="dev",
        data="data",
        models="models",
        endpoint=endpoint,
        backend=jobs["backend"],
        flavors={"small": {"cpus": 1, "memory": "64Mi", "gpus": 0}},
        images={"user": "user:1", "nobody": "nobody:1", "absent": "localhost/absent:1"},
        notify={},
        jobs={"stage_image": "stage:1", **jobs},
    )


def put(storage: Storage, folder: Path, key: str, content: bytes) -> dict[str, Any]:
    """A reference to an object that another task would have left."""
    path = folder / key.rpartition("/")[2]
    path.write_bytes(content)
    return storage.keep("data", key, path)
