"""What the tests of jobs in containers share: one podman, one S3 server, and a job as Airflow would run it."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.containers.cases import CASES, Case
from tests.fakes.podman import Podman, podman_service
from tests.fakes.s3_server import CREDENTIALS, moto_server
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.settings import Settings
from windlass.runtime.storage import Storage

AT_ONCE = 4


@pytest.fixture(scope="session")
def podman() -> Iterator[Podman]:
    if os.geteuid() != 0 or not all(shutil.which(name) for name in ("podman", "runc", "/bin/busybox")):
        pytest.skip("needs root and the packages podman, runc and busybox-static")
    # podman takes no folder for what runs whose path is longer than 50 characters, and pytest's grow with each run
    with podman_service(Path(tempfile.mkdtemp(prefix="podman-", dir="/tmp"))) as found:
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
        flavors={"small": {"cpus": 1, "memory": "64Mi", "gpus": 0, "disk": "32Mi"}},
        images={"user": "user:1", "nobody": "nobody:1", "absent": "localhost/absent:1"},
        notify={},
        jobs={"stage_image": "stage:1", **jobs},
    )


def put(storage: Storage, folder: Path, key: str, content: bytes) -> dict[str, Any]:
    """A reference to an object that another task would have left."""
    path = folder / key.rpartition("/")[2]
    path.write_bytes(content)
    return storage.keep("data", key, path)


@dataclass(frozen=True)
class Ends:
    """How each of the CASES ended, by its name, and the containers, pods and volumes that were there when all had."""

    stops: dict[str, Exception | None]
    left: list[str]

    def check(self, case: Case) -> None:
        """AssertionError unless the case ended with its sentence, and neither too early nor too late."""
        stop = self.stops[case.name]
        assert isinstance(stop, RuntimeStop), repr(stop)
        assert case.reason in str(stop)
        after = re.search(r" after ([0-9.]+) seconds", str(stop))
        least, most = case.ended_after
        assert after is None or least <= float(after[1]) <= most, stop


def end_all(run: Callable[..., object], settings: Settings, storage: Storage, podman: Podman, folder: Path) -> Ends:
    """Runs the CASES, some at the same time: most of what they take is waiting."""
    data = put(storage, folder, "dev/x/a.csv", b"a\n")
    jobs = []
    for case in CASES:
        inputs = {"data": {**data, **case.reference}}
        task, context = make_job(
            case.script, case.seconds, task_id=case.name.replace(" ", "_"), inputs=inputs, outputs={"out": "out.csv"}
        )
        task.docker_image = case.image
        jobs.append((task, context))

    def end(job: tuple[Any, dict[str, Any]]) -> Exception | None:
        try:
            run(*job, settings)
        except Exception as error:  # noqa: BLE001 - another than RuntimeStop is the failure of its case, not of all
            return error
        return None

    stops = [end(jobs[0])]  # alone: docker.types cannot be imported by two threads at once
    with ThreadPoolExecutor(AT_ONCE) as pool:
        stops += pool.map(end, jobs[1:])
    return Ends(dict(zip((case.name for case in CASES), stops, strict=True)), podman.left())
