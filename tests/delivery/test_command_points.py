# ruff: noqa: F811 - a fixture is imported under the name that tests take it by
"""`release` and `promote` with a failure at each call of GitLab, and `promote` with an Airflow that is away.

Each point is a whole command, twice, over a store in memory: the calls that go wrong here are not the store's.
"""

import itertools
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.delivery.in_memory import open_store, s3, store  # noqa: F401 - fixtures
from tests.delivery.test_commands import Run, commit, git, project, windlass  # noqa: F401 - fixtures
from tests.delivery.test_perform import Killed
from tests.fakes.gitlab_server import GitlabServer
from tests.fakes.http_stub import http_stub
from tests.fakes.memory_store import MemoryStore
from windlass.delivery.history.states import load_current

pytestmark = pytest.mark.stack

ANSWERS: dict[str, tuple[int, Any]] = {
    str(status): (status, {"message": "no"}) for status in (401, 403, 404, 409, 429, 500)
} | {"garbage": (200, b"<html>sign in</html>"), "another shape": (200, {"ok": True})}
ON_THE_WIRE: dict[str, BaseException] = {
    "timeout": requests.ReadTimeout("timed out"),
    "reset": requests.ConnectionError("connection reset by peer"),
    "killed": Killed(),
}
FAULTS = [*ANSWERS, *ON_THE_WIRE]
SOME = ("404", "409", "500", "garbage", "timeout", "killed")
"""For what tests/delivery/test_afterwards.py tries with each of them, at every call."""
PASSING = ("429", "500", "timeout", "reset")
"""What is asked again at once: nobody is warned."""


@dataclass
class Bench:
    """A GitLab, the store, and what goes wrong at which call."""

    server: GitlabServer
    store: MemoryStore
    prefix: str
    monkeypatch: pytest.MonkeyPatch

    def inject(self, fault: str, point: int, *, is_done: bool) -> None:
        """`fault` at call number `point`, before GitLab does anything, or after it `is_done`."""
        self.server.calls.clear()
        if fault in ANSWERS:
            self.server.point, self.server.wrong, self.server.is_done = point, ANSWERS[fault], is_done
            return
        send, count = requests.adapters.HTTPAdapter.send, itertools.count()

        def broken(adapter: Any, request: Any, **options: Any) -> Any:
            if next(count) != point:
                return send(adapter, request, **options)
            if is_done:
                send(adapter, request, **options)
            raise ON_THE_WIRE[fault]

        self.monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", broken)
        self.undo = lambda: self.monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)

    def heal(self) -> None:
        self.server.point = None
        if hasattr(self, "undo"):
            self.undo()
            del self.undo

    def kept(self, *environments: str) -> dict[str, bytes]:
        """All that the store has of the environments."""
        below = tuple(f"{self.prefix}-{name}/" for name in environments)
        return {key: content for key, content in self.store.objects.items() if key.startswith(below)}

    def put_back(self, kept: dict[str, bytes], *environments: str) -> None:
        for key in self.kept(*environments):
            self.store.delete(key)
        self.store.objects.update(kept)

    def serial(self, name: str) -> int:
        state = load_current(self.store, f"{self.prefix}-{name}").state
        return state.serial if state else 0


@pytest.fixture
def bench(project: Path, store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    server = GitlabServer()
    with http_stub(server.answer) as stub:
        variables = {"CI": "true", "CI_SERVER_URL": stub.url, "CI_PROJECT_ID": "42", "CI_JOB_TOKEN": "job"}
        variables |= {"CI_COMMIT_SHA": git("rev-parse", "HEAD"), "CI_COMMIT_TAG": "v1", "CI_ENVIRONMENT_NAME": "any"}
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield Bench(server, store, project.parent.name, monkeypatch)


def attempt(windlass: Run, fault: str, *command: str) -> str:
    """Runs the command into the fault; what it warned of."""
    if fault == "killed":
        with pytest.raises(Killed):
            windlass(*command)
        return ""
    code, _, err = windlass(*command)
    assert code == 0, f"{fault}: {err}"
    assert "Traceback" not in err
    return err


def test_a_release_is_published_whatever_gitlab_does_and_killed_at_any_call_it_is_published_the_next_time(
    project: Path, windlass: Run, bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    assert windlass("train")[0] == 0
    before = bench.kept("dev")
    bench.server.calls.clear()
    assert windlass("release")[0] == 0
    points = list(bench.server.calls)
    assert points == ["GET merge_requests", "GET notes"]
    whole = bench.kept("dev")
    met = 0
    for point, fault in itertools.product(range(len(points)), FAULTS):
        bench.put_back(before, "dev")
        bench.inject(fault, point, is_done=False)
        warned = attempt(windlass, fault, "release")
        if fault == "killed":
            assert bench.kept("dev") == before, "nothing is written before GitLab was asked"
        elif fault in PASSING:
            assert warned == "" or point > 0
        elif point == 0:
            assert "will not say which merge request it came from: GitLab project 42" in warned, fault
        bench.heal()
        assert bench.serial("dev") == bench.serial("stage") == 0
        code, _, err = windlass("release")
        assert code == 0, err
        assert bench.kept("dev").keys() == whole.keys()
        met += 1
    assert met == len(points) * len(FAULTS)
    with capsys.disabled():
        sys.stdout.write(f"\nrelease: {len(FAULTS)} faults at each of {len(points)} GitLab calls: {met} points\n")


def test_a_tag_is_promoted_whatever_gitlab_does_and_its_gitlab_release_is_there_once_after_the_next_time(
    project: Path, windlass: Run, bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (["train"], ["release"], ["promote", "--to", "dev"]):
        assert windlass(*command)[0] == 0
    before = bench.kept("stage")
    assert before == {}
    bench.server.calls.clear()
    assert windlass("promote", "--to", "stage")[0] == 0
    calls = list(bench.server.calls)
    file = "digits-manifest.json"
    assert calls == [f"GET {file}", f"PUT {file}", "GET v1", "POST releases", "GET environments"]
    points = [calls.index("GET v1"), calls.index("POST releases")]
    met = 0
    for point, fault, is_done in itertools.product(points, SOME, (False, True)):
        bench.put_back(before, "stage")
        bench.server.releases.clear()
        bench.server.files.clear()
        bench.inject(fault, point, is_done=is_done)
        warned = attempt(windlass, fault, "promote", "--to", "stage")
        if fault in PASSING or (fault == "404" and point == points[0]):  # 404: there is no such release yet
            assert list(bench.server.releases) == ["v1"], f"{fault}: there is one, and no second"
        elif fault != "409" or point == points[0]:
            assert list(bench.server.releases) == (["v1"] if is_done and point == points[1] else [])
        if fault not in ("killed", "409", "404", *PASSING):
            assert "there is no GitLab release of v1 yet: GitLab project 42" in warned, fault
        bench.heal()
        assert bench.serial("stage") == 1, "the swap comes before GitLab is told"
        code, _, err = windlass("promote", "--to", "stage")
        assert code == 0, err
        assert list(bench.server.releases) == ["v1"], f"{fault}: the release is there once"
        assert bench.serial("stage") == 1, "nothing is deployed twice"
        met += 1
    assert met == len(points) * len(SOME) * 2
    assert windlass("history", "stage", "--verify")[0] == 0
    with capsys.disabled():
        told = f"promote: {len(SOME)} faults before and after each of {len(points)} GitLab calls: {met} points"
        sys.stdout.write(f"\n{told}\n")


@pytest.mark.parametrize("is_first", [True, False], ids=["first deployment", "later deployment"])
def test_with_an_airflow_that_is_away_a_promotion_changes_nothing_at_all(
    project: Path, windlass: Run, bench: Bench, is_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in (["train"], ["release"]):
        assert windlass(*command)[0] == 0
    if not is_first:
        assert windlass("promote", "--to", "dev")[0] == 0
        (project / "train.csv").write_text("0.95\n")
        monkeypatch.setenv("CI_COMMIT_SHA", commit("two"))
        for command in (["train"], ["release"]):
            assert windlass(*command)[0] == 0
    monkeypatch.setenv("PASSWORD", "do not print me")
    away: dict[str, tuple[int, str]] = {}
    with http_stub(lambda request: (503, {})) as busy, http_stub(lambda request: (401, {})) as closed:
        away = {"http://127.0.0.1:1": (75, "does not answer"), busy.url: (75, "Airflow of dev"), closed.url: (3, "401")}
        path = project / "environments/dev.yml"
        plain = path.read_text()
        before = bench.kept("dev", "stage")
        for url, (expected, words) in away.items():
            path.write_text(f"{plain}airflow: {{url: '{url}', username: windlass, password: '${{PASSWORD}}'}}\n")
            code, out, err = windlass("promote", "--to", "dev")
            assert (code, words in err) == (expected, True), err
            assert "do not print me" not in out + err
            assert bench.kept("dev", "stage") == before
            bench.inject("killed", 0, is_done=False)
            with pytest.raises(Killed):
                windlass("promote", "--to", "dev")
            bench.heal()
            assert bench.kept("dev", "stage") == before
        path.write_text(plain)
    code, out, err = windlass("promote", "--to", "dev", "--json")
    assert (code, json.loads(out)["changed"]) == (0, True), err
