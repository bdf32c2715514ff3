# ruff: noqa: F811 - a fixture is imported under the name that tests take it by
"""The commands around a verdict: promote, verify, rollback, hold and release-hold, over HTTP and a store in memory."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.in_memory import open_store, s3, store  # noqa: F401 - fixtures
from tests.delivery.test_commands import Run, commit, deliver, project, windlass  # noqa: F401 - fixtures
from tests.fakes.airflow_server import AirflowServer
from tests.fakes.http_stub import http_stub
from windlass.spec.store import Store

pytestmark = pytest.mark.stack

SMOKE = "run: read_digits, run_timeout: 5 seconds, delivers: digits.csv"


@pytest.fixture
def airflow(project: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[AirflowServer]:
    """dev and stage each have an Airflow; stage goes back by itself."""
    monkeypatch.setenv("PASSWORD", "do not print me")
    server = AirflowServer(store)
    with http_stub(server.answer) as stub:
        for name, on_failure in (("dev", "stay"), ("stage", "rollback")):
            path = project / f"environments/{name}.yml"
            url = f"{stub.url}/{project.parent.name}-{name}"
            account = f"airflow: {{url: '{url}', username: windlass, password: '${{PASSWORD}}'}}\n"
            path.write_text(path.read_text() + account + f"verify: {{timeout: 1 second, on_failure: {on_failure}}}\n")
        commit("airflow")
        yield server


def status(windlass: Run, name: str) -> dict[str, Any]:
    code, out, err = windlass("status", name, "--json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)[0]
    return found


def second(project: Path, windlass: Run) -> str:
    """One more release, live in dev and verified there; its commit."""
    (project / "train.csv").write_text("0.95\n")
    made = commit("two")
    deliver(windlass)
    return made


def test_a_failed_verdict_rolls_back_says_why_and_keeps_the_release_out(
    project: Path, windlass: Run, airflow: AirflowServer
) -> None:
    deliver(windlass)
    deliver(windlass, to="stage")
    good = status(windlass, "stage")
    bad = second(project, windlass)
    airflow.broken.add(bad)
    code, out, err = windlass("promote", "--to", "stage", "--json")
    assert code == 2, err
    result = json.loads(out)
    assert (result["verdict"]["result"], result["changed"]) == ("fail", True)
    now = status(windlass, "stage")
    assert result["rolled_back_to"] == now["state"]
    assert now["projects"] == good["projects"]
    last = err.strip().splitlines()[-1]
    assert last.startswith("error: stage: Airflow")
    assert "KeyError: 'x'; stage is back at" in last
    assert f"release {result['after']['release'][:12]} is on hold there" in last
    code, _, err = windlass("promote", "--to", "stage")
    assert (code, "is on hold since" in err, "verification failed" in err) == (2, True, True)
    assert "is on hold since" in windlass("status")[1]
    code, out, _ = windlass("history", "stage", "--verify")
    assert (code, "on hold now" in out, "verification failed" in out) == (0, True, True)
    airflow.broken.clear()
    code, out, err = windlass("release-hold", "stage")
    assert (code, "digits is not on hold; nothing to do" in out, "still: release" in out) == (0, True, True), err
    code, out, err = windlass("release-hold", "stage", "--release", bad[:12], "--reason", "it was Airflow")
    assert (code, "may be promoted again" in out) == (0, True), err
    assert windlass("promote", "--to", "stage")[0] == 0
    assert "do not print me" not in "".join(windlass("history", "stage", "--json")[1:])


def test_the_environment_stays_after_a_fail_where_nothing_else_is_said(
    project: Path, windlass: Run, airflow: AirflowServer
) -> None:
    deliver(windlass)
    (project / "train.csv").write_text("0.95\n")
    bad = commit("two")
    airflow.broken.add(bad)
    assert windlass("train")[0] == windlass("release")[0] == 0
    code, out, err = windlass("promote", "--to", "dev")
    assert (code, "verdict: fail" in out) == (2, True), err
    assert status(windlass, "dev")["projects"]["digits"]["commit"] == bad
    assert windlass("verify", "dev")[0] == 2
    code, _, err = windlass("promote", "--to", "stage")
    assert (code, "failed in" in err) == (2, True), err


def test_an_airflow_in_trouble_is_inconclusive(project: Path, windlass: Run, airflow: AirflowServer) -> None:
    deliver(windlass)
    airflow.away = True
    code, out, err = windlass("verify", "dev", "--json")
    assert (code, json.loads(out)["result"]) == (75, "inconclusive"), err
    assert status(windlass, "dev")["verdicts"]["digits"]["result"] == "pass", "that counts still"


def test_the_smoke_run_of_the_environment_is_begun_once_and_must_deliver(
    project: Path, windlass: Run, airflow: AirflowServer
) -> None:
    path = project / "environments/dev.yml"
    path.write_text(path.read_text().replace("timeout: 1 second", f"timeout: 1 second, {SMOKE}"))
    commit("smoke")
    assert windlass("train")[0] == windlass("release")[0] == 0
    code, _, err = windlass("promote", "--to", "dev")
    assert (code, "the file that verify.delivers names is not there" in err) == (2, True), err
    airflow.store.put(f"{project.parent.name}-dev/delivered/digits.csv", b"x")
    code, out, err = windlass("verify", "dev")
    assert (code, "succeeded and delivered" in out) == (0, True), err
    assert len(airflow.triggered) == 1
    assert "smoke run of read_digits success" in err


def test_the_whole_environment_goes_back_and_each_project_is_verified(
    project: Path, windlass: Run, airflow: AirflowServer
) -> None:
    deliver(windlass)
    second(project, windlass)
    code, out, err = windlass("rollback", "dev", "--all", "--to", "1", "--reason", "all is wrong", "--json")
    assert code == 0, err
    result = json.loads(out)
    assert (result["changed"], result["verdicts"]["digits"]["result"]) == (True, "pass")
    code, out, err = windlass("rollback", "dev", "--all")
    assert (code, "nothing to do" in out) == (0, True), err
    code, out, _ = windlass("history", "dev", "--verify")
    assert (code, "all is wrong" in out) == (0, True)


def test_release_hold_speaks_json_where_nothing_was_promoted_yet(project: Path, windlass: Run) -> None:
    assert json.loads(windlass("release-hold", "stage", "--json")[1]) == {"changed": False, "state": None, "holds": []}


@pytest.mark.parametrize("command", ["hold", "release-hold"])
def test_help_has_examples(windlass: Run, command: str) -> None:
    code, out, _ = windlass(command, "--help")
    assert code == 0
    assert f"windlass {command}" in out
    assert "--json" in out
