"""A real Airflow of the stack: healthy, its log-in known, its own S3 key, and gone after `down`."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from windlass.stack import airflow_service
from windlass.stack.stack import Stack

from .test_stack import left_behind, states

pytestmark = pytest.mark.airflow

DAG = """
from datetime import datetime
from airflow.sdk import DAG, task

with DAG(dag_id="who", schedule=None, start_date=datetime(2026, 1, 1)):

    @task
    def who():
        import os, shutil
        return [os.environ["AWS_ACCESS_KEY_ID"], os.environ.get("AWS_PROFILE"), shutil.which("airflow")]

    who()
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """S3, GitLab and one Airflow, dev, that reads a plain folder."""
    home = tmp_path_factory.mktemp("airflow")
    (home / "dags").mkdir()
    (home / "dags/who.py").write_text(DAG)

    def folder(environment: str) -> airflow_service.Bundle:
        classpath = "airflow.dag_processing.bundles.local.LocalDagBundle"
        return {"name": "windlass", "classpath": classpath, "kwargs": {"path": str(home / "dags")}}

    stack = Stack(home / "stack", bundle=folder, environments=("dev",))
    stack.up()
    yield stack
    stack.down()


def session(stack: Stack) -> tuple[str, requests.Session]:
    login = stack.airflow_login("dev")
    url = login["WINDLASS_AIRFLOW_URL"]
    who = {"username": login["WINDLASS_AIRFLOW_USERNAME"], "password": login["WINDLASS_AIRFLOW_PASSWORD"]}
    token = requests.post(f"{url}/auth/token", json=who, timeout=10)
    assert token.status_code == 201
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
    return f"{url}/api/v2", session


def until(seconds: float, look: Any) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.3)
    return found


def test_it_is_healthy_and_lets_nobody_in_without_its_password(stack: Stack) -> None:
    assert states(stack)["dev"] == "healthy"
    url = stack.url("dev")
    wrong = {"username": "admin", "password": "admin"}
    assert requests.post(f"{url}/auth/token", json=wrong, timeout=10).status_code == 401
    assert requests.get(f"{url}/api/v2/dags", timeout=10).status_code == 401


def test_a_run_has_the_environments_own_key_and_nothing_of_the_callers(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, api = session(stack)
    until(60, lambda: api.get(f"{url}/dags/who").ok)
    run = api.post(f"{url}/dags/who/dagRuns", json={"logical_date": None}).json()["dag_run_id"]
    state = until(
        90, lambda: (s := api.get(f"{url}/dags/who/dagRuns/{run}").json()["state"]) in ("success", "failed") and s
    )
    assert state == "success"
    entry = api.get(f"{url}/dags/who/dagRuns/{run}/taskInstances/who/xcomEntries/return_value").json()
    value = entry["value"] if isinstance(entry["value"], list) else __import__("json").loads(entry["value"])
    key, profile, airflow = value
    assert key == stack.credentials("airflow-dev").access_key_id
    assert profile is None
    assert airflow
    log = api.get(f"{url}/dags/who/dagRuns/{run}/taskInstances/who/logs/1")
    assert log.ok


def test_only_the_api_server_listens_and_on_this_machine_only(stack: Stack) -> None:
    from windlass.stack import processes
    from windlass.stack.stack import _identity

    inodes = set()
    for pid in processes.members(_identity(stack.settings().processes["dev"])):
        with contextlib.suppress(PermissionError):  # Airflow's workers let only root look
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                target = str(descriptor.readlink()) if descriptor.is_symlink() else ""
                if target.startswith("socket:["):
                    inodes.add(target[8:-1])
    listening = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                listening.add(fields[1])
    assert listening == {f"0100007F:{stack.settings().ports['dev']:04X}"}


def test_down_leaves_nothing_and_a_second_start_has_the_same_log_in(stack: Stack) -> None:
    before = stack.airflow_login("dev")
    assert stack.down() == ["s3", "gitlab", "dev"]
    assert left_behind(stack.home) == []
    assert states(stack) == {"s3": "stopped", "gitlab": "stopped", "dev": "stopped"}
    stack.up(wait=False)
    assert states(stack)["s3"] == "healthy"
    stack.up()
    assert states(stack)["dev"] == "healthy"
    assert stack.airflow_login("dev") == before
    url, api = session(stack)
    assert api.get(f"{url}/dags/who").ok
