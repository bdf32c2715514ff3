"""What a script may count on: the table of docs/jobs.md, asked by a script in each way that needs no container."""

import hashlib
import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from tests.fakes.s3_server import CREDENTIALS, moto_server
from windlass.jobs.one_job import OneJob, run_one
from windlass.jobs.run_context import RunContext
from windlass.runtime.local_backend import run_locally
from windlass.runtime.settings import Settings
from windlass.spec.task import Job

ASK = (
    "env | sort > {said}; pwd > {folder}; ls -A . $TMPDIR >> {folder}; echo {data} {said} {number} > {paths}; "
    "ls /proc/self/fd | tr '\\n' ' ' > {open}; tr '\\0' '\\n' </proc/$PPID/environ > {above}"
)
OUTPUTS = {name: f"{name}.txt" for name in ("said", "folder", "paths", "open", "above")}
SECRET = "of-the-worker"
VARIABLES = {
    "HOME", "TMPDIR", "LANG", "PYTHONUNBUFFERED", "PATH", "WINDLASS_PIPELINE", "WINDLASS_TASK", "WINDLASS_RUN_ID",
    "WINDLASS_ENVIRONMENT", "WINDLASS_TRY", "WINDLASS_MAP_INDEX",
}  # fmt: skip
OF_THE_SHELL = {"PWD", "OLDPWD", "SHLVL", "_"}


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (CREDENTIALS | {"AIRFLOW__CORE__FERNET_KEY": SECRET, "AWS_SECRET_ACCESS_KEY": SECRET}).items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_server("data", "models") as address:
        yield address


def on_a_laptop(folder: Path) -> dict[str, str]:
    (folder / "a.csv").write_text("id\n")
    spec = Job(docker_image="any", execution_time=timedelta(seconds=60), execution_script=ASK)
    run = RunContext("it", datetime(2026, 1, 31, tzinfo=UTC), folder)
    out = folder / "out"
    run_one(OneJob(spec, "group.ask", {"data": folder / "a.csv"}, OUTPUTS, out, run, {"number": 3}, {}, 2), print)
    return {name: (out / filename).read_text() for name, filename in OUTPUTS.items()}


def on_a_worker(endpoint: str) -> dict[str, str]:
    client = boto3.client("s3", endpoint_url=endpoint)
    client.put_object(Bucket="data", Key="dev/a.csv", Body=b"id\n")
    sha256 = hashlib.sha256(b"id\n").hexdigest()
    task: Any = SimpleNamespace(
        execution_script=ASK,
        execution_time=timedelta(seconds=60),
        inputs={"data": {"key": "dev/a.csv", "sha256": sha256, "size": 3, "name": "a.csv"}},
        outputs=OUTPUTS,
        parameters={"number": 3},
        resource_flavor=None,
        log=SimpleNamespace(info=lambda *_: None),
        rendered=lambda script, _: script.text,
    )
    instance = SimpleNamespace(dag_id="it", task_id="group.ask", run_id="run 1", try_number=1, map_index=2)
    settings = Settings("dev", "dev", "data", "models", endpoint, "local", {}, {}, {})
    kept = run_locally(task, {"ti": instance}, settings)
    bodies = {port: client.get_object(Bucket="data", Key=file["key"])["Body"].read() for port, file in kept.items()}
    return {port: body.decode() for port, body in bodies.items()}


@pytest.fixture(params=["laptop", "worker"])
def told(request: pytest.FixtureRequest, tmp_path: Path, endpoint: str) -> dict[str, str]:
    """What the script wrote."""
    return on_a_laptop(tmp_path) if request.param == "laptop" else on_a_worker(endpoint)


def test_a_script_sees_these_variables_and_no_others(told: dict[str, str]) -> None:
    said = dict(line.partition("=")[::2] for line in told["said"].splitlines())
    assert said.keys() - OF_THE_SHELL == VARIABLES
    folder = said["HOME"].removesuffix("/work")
    assert said["TMPDIR"] == f"{folder}/tmp"
    assert (said["LANG"], said["PYTHONUNBUFFERED"]) == ("C.UTF-8", "1")
    names = ("PIPELINE", "TASK", "TRY", "MAP_INDEX")
    assert [said[f"WINDLASS_{name}"] for name in names] == ["it", "group.ask", "1", "2"]
    assert told["folder"].splitlines()[0] == f"{folder}/work"
    assert told["folder"].splitlines()[1:] == [".:", "", f"{folder}/tmp:"]  # both are empty
    paths = (f"{folder}/inputs/data/a.csv", f"{folder}/outputs/said/said.txt", "3")
    assert told["paths"].split() == list(paths)


def test_a_script_has_no_open_files_and_no_secrets_of_the_process_above_it(told: dict[str, str]) -> None:
    assert told["open"].split() == ["0", "1", "2", "3"]  # 3 is how `ls` reads the folder
    assert SECRET not in "".join(told.values())


def test_the_page_has_each_variable() -> None:
    page = Path(__file__).parents[2].joinpath("docs/jobs.md").read_text()
    table = page.partition("## What a script may count on")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([A-Z_]+)`", table)) >= VARIABLES
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == SECRET  # else nothing was hidden above
