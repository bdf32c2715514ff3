"""The pipeline of a repository that owns environments: a merge request compares with Airflow, main changes it."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.conftest import ROOT, Demo
from windlass.spec.environment import find_environment, load_environments, resolve
from windlass.stack.rehearsal import rehearse

pytestmark = pytest.mark.e2e

PIPELINE = """\
include:
  - project: platform/windlass
    ref: main
    file: ci/environments.yml
    inputs: {project: settings, environment: stage, tier: staging}
"""
WANTED = """\
extends: base
upstream: dev
variables: {scoring_limit: %d}
pools: {dwh: {slots: 4}}
connections: {dwh: {type: postgres, host: dwh.example, login: windlass, password: "${DWH_PASSWORD}"}}
"""
SECRET = "correct-horse-battery"


def commit(folder: Path, limit: int) -> None:
    (folder / "environments").mkdir(parents=True, exist_ok=True)
    for name in ("base.yml", "dev.yml", "prod.yml"):
        (folder / "environments" / name).write_text((ROOT / "environments" / name).read_text())
    (folder / "environments/stage.yml").write_text(WANTED % limit)
    (folder / ".gitlab-ci.yml").write_text(PIPELINE)
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    for arguments in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", f"Limit {limit}"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)


def run(demo: Demo, folder: Path, event: str) -> tuple[list[str], str]:
    """The jobs that passed, and all that was said."""
    lines: list[str] = []
    secret = {"DWH_PASSWORD": SECRET}
    rehearsal = rehearse(demo.stack, folder, event, variables=secret, report=lines.append, output=lines.append)
    assert rehearsal.ok, "\n".join(lines)
    return [job.name for job in rehearsal.jobs if job.result == "passed"], "\n".join(lines)


def airflows(demo: Demo, what: str) -> dict[str, Any]:
    """What stage's Airflow answers; empty where it has no such thing."""
    settings = find_environment(load_environments(ROOT / "environments"), "stage").airflow
    assert settings is not None
    login = resolve(settings, demo.stack.airflow_login("stage"), "stage")
    account = {"username": login.username, "password": login.password.get_secret_value()}
    token = requests.post(f"{login.url}/auth/token", json=account, timeout=30).json()["access_token"]
    header = {"Authorization": f"Bearer {token}"}
    answer = requests.get(f"{login.url}/api/v2/{what}", headers=header, timeout=30)
    found: dict[str, Any] = answer.json() if answer.ok else {}
    return found


def test_a_merge_request_shows_and_main_makes_what_airflow_shall_hold(demo: Demo, tmp_path: Path) -> None:
    folder = tmp_path / "settings"
    commit(folder, 500)
    passed, said = run(demo, folder, "merge-request")
    assert passed == ["settings:env:diff:stage"]
    assert all(name in said for name in ("scoring_limit", "dwh"))
    assert airflows(demo, "variables/scoring_limit") == {}, "a merge request changes nothing"
    passed, applied = run(demo, folder, "main")
    assert passed == ["settings:env:apply:stage"]
    assert airflows(demo, "variables/scoring_limit")["value"] == "500"
    assert airflows(demo, "connections/dwh")["login"] == "windlass"
    assert airflows(demo, "pools/dwh")["slots"] == 4
    commit(folder, 700)
    _, changed = run(demo, folder, "main")
    assert airflows(demo, "variables/scoring_limit")["value"] == "700"
    assert SECRET not in said + applied + changed
