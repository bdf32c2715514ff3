"""Rate limits, 5xx, silence and lost answers at every call that a delivery makes to GitLab, git's among them.

One that passes costs a pause; one that stays ends what must know GitLab with 75, and what only tells it with a warning.
There is never a second note, release, deployment, status or file.
"""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.gate.story import Story, told_story
from tests.gate.test_cheating_jobs import PIPELINE
from windlass.stack.gitlab.faults import Fault, Faults

pytestmark = pytest.mark.stack

KINDS = {
    "429": Fault("limited", retry_after=0, times=99),
    "500": Fault("broken", status=500, times=99),
    "503": Fault("broken", status=503, retry_after=0, times=99),
    "silent": Fault("silent", times=99),
    "lost": Fault("lost", times=99),
}
OWN = ("deployments", "releases", "statuses", "files")


class AtCall(Faults):
    """A fault that every call meets from number `point` on, or, without one, each different call the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.point: int | None = None
        self.fault: Fault | None = None

    def meets(self, method: str, path: str) -> Fault | None:
        """What the next call meets."""
        if self.fault is None or (self.fault.kind == "silent" and "/api/v4/" not in path):
            return None  # git waits as long as a server may take to pack a repository
        is_met = f"{method} {path}" not in self.calls if self.point is None else len(self.calls) >= self.point
        return self.fault if is_met else None

    def take(self, method: str, path: str) -> Fault | None:
        fault = self.meets(method, path)
        self.calls.append(f"{method} {path}")
        return fault

    def begin(self, kind: str | None = None, point: int | None = None) -> None:
        """From now on calls are counted anew."""
        self.calls.clear()
        self.fault, self.point = KINDS[kind] if kind else None, point


@dataclass
class Bench:
    """The company, its faults, and what is there after a command that met none."""

    story: Story
    faults: AtCall

    def calls(self, command: Callable[[], Any]) -> list[str]:
        """The calls that the command makes when nothing is wrong."""
        self.faults.begin()
        command()
        return list(self.faults.calls)

    @property
    def _home(self) -> Path:
        return self.story.company.standin.home / "records" / str(self.story.project.id)

    def records(self) -> dict[str, bytes]:
        """All that GitLab knows of the project."""
        return {path.name: path.read_bytes() for path in self._home.glob("*.json")}

    def put_back(self, objects: dict[str, bytes], records: dict[str, bytes]) -> None:
        """S3 and the project as they were."""
        self.story.store.objects.clear()
        self.story.store.objects.update(objects)
        for path in self._home.glob("*.json"):
            if path.name not in records:
                path.unlink()
        for name, content in records.items():
            (self._home / name).write_bytes(content)


@contextmanager
def impatient_story(folder: Path) -> Iterator[tuple[Story, AtCall, pytest.MonkeyPatch]]:
    """A story without pauses between the tries of a call, and the faults of its stand-in."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("windlass.adapters.gitlab.connection.PAUSES", (0.0, 0.0))
        monkeypatch.setattr("windlass.adapters.git_server.PAUSES", (0.0, 0.0))
        with told_story(folder, monkeypatch, AtCall) as story:
            faults = story.company.standin.faults
            assert isinstance(faults, AtCall)
            yield story, faults, monkeypatch


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A release that is live in dev and stage, and a tag for it."""
    send = requests.adapters.HTTPAdapter.send
    with impatient_story(tmp_path_factory.mktemp("company")) as (story, faults, monkeypatch):

        def hasty(adapter: Any, request: Any, **options: Any) -> Any:
            """A client that waits briefly for the one answer that does not come."""
            fault = faults.meets(request.method, request.path_url)
            if fault and fault.kind == "silent":
                options["timeout"] = 0.05
            return send(adapter, request, **options)

        monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", hasty)
        story.begin()
        request = story.change("change", "Change", **{"pipelines/copy_rows.yml": PIPELINE % 1})
        story.approve(request, "bob")
        story.merge(request)
        with story.job("mia"):
            for command in (["release"], ["promote", "--to", "dev"], ["promote", "--to", "stage"]):
                story.must(*command)
        story.tag("v1.0.0")
        yield Bench(story, faults)


TOKENS = pytest.mark.parametrize(
    "knows", ["a token that reads all", pytest.param("the job token alone", marks=pytest.mark.e2e)]
)
WIDE = pytest.mark.parametrize(
    "is_wide",
    [pytest.param(False, id="from some calls"), pytest.param(True, marks=pytest.mark.e2e, id="from every call")],
)


def staying(calls: list[str], is_wide: bool) -> Iterator[tuple[str, int]]:
    """Faults that stay from a call on, of the kinds in turn: from every call, or from each seventh and the last."""
    for at, call in enumerate(calls):
        fit = [kind for kind in KINDS if kind != "silent" or "/api/v4/" in call]
        if is_wide or at % 7 == 0 or at == len(calls) - 1:
            yield fit[at % len(fit)], at


@WIDE
def test_a_note_is_written_once_whatever_happens(
    bench: Bench, is_wide: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    story, faults = bench.story, bench.faults
    branch = f"noted-{is_wide}"
    request = story.change(branch, "Noted", **{"pipelines/copy_rows.yml": PIPELINE % (2 + is_wide)})
    numbers = itertools.count(10_000)
    count = 0
    with story.job("ann", branch, request=request, WINDLASS_GITLAB_TOKEN=story.company.token("bot")):

        def plan() -> tuple[int, str]:
            story.monkeypatch.setenv("CI_PIPELINE_ID", str(next(numbers)))
            code, _, err = story.run("plan", "--to", "dev", "--note")
            return code, err

        def take_away() -> None:
            for note in story.project.mergerequests.get(request.iid).notes.list(get_all=True):
                if not note.system:
                    note.delete()

        first = bench.calls(plan)
        again = bench.calls(plan)
        assert again != first
        for calls, prepare in ((first, take_away), (again, lambda: None)):
            for kind, at in [*((kind, None) for kind in KINDS), *staying(calls, is_wide)]:
                prepare()
                faults.begin(kind, at)
                code, err = plan()
                faults.begin()
                assert code == 1, f"{kind} at {at}: {err}"
                assert ("does not show this plan" in err) is (at is not None), f"{kind} at {at}: {err}"
                assert len(story.notes(request)) <= 1
                assert at is not None or len(story.notes(request)) == 1, f"{kind}: {err}"
                plan()
                assert len(story.notes(request)) == 1, f"{kind} at {at}"
                count += 1
    with capsys.disabled():
        print(f"\nplan --note: {len(first)} and {len(again)} calls, {count} runs with a fault")


@WIDE
@TOKENS
def test_a_gate_asks_again_and_then_gives_up_for_now(
    bench: Bench, knows: str, is_wide: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    story, faults = bench.story, bench.faults
    more = {} if knows == "the job token alone" else {"WINDLASS_GITLAB_TOKEN": story.company.token("root")}
    count = 0
    with story.job("dev", "v1.0.0", tag=True, **more):
        calls = bench.calls(lambda: story.must("gate", "--to", "prod"))
        before = dict(story.store.objects)
        for kind, at in [*((kind, None) for kind in KINDS), *staying(calls, is_wide)]:
            faults.begin(kind, at)
            code, out, err = story.run("gate", "--to", "prod")
            faults.begin()
            assert code == (0 if at is None else 75), f"{kind} at {at} ({calls[at or 0]}): {out}{err}"
            count += 1
    assert story.store.objects == before
    with capsys.disabled():
        print(f"\ngate with {knows}: {len(calls)} calls, {count} runs with a fault")


@WIDE
@TOKENS
def test_a_promotion_is_told_once_whatever_happens(
    bench: Bench, knows: str, is_wide: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    story, faults = bench.story, bench.faults
    more = {} if knows == "the job token alone" else {"WINDLASS_GITLAB_TOKEN": story.company.token("root")}
    objects, records, outcomes = dict(story.store.objects), bench.records(), {0: 0, 75: 0}
    with story.job("dev", "v1.0.0", tag=True, **more):
        calls = bench.calls(lambda: story.must("promote", "--to", "prod"))
        told = story.told()
        assert [len(told[name]) for name in OWN] == [3, 1, 0 if knows == "the job token alone" else 1, 1]
        for kind, at in [*((kind, None) for kind in KINDS), *staying(calls, is_wide)]:
            bench.put_back(objects, records)
            faults.begin(kind, at)
            code, out, err = story.run("promote", "--to", "prod")
            faults.begin()
            where = f"{kind} at {at} ({calls[at or 0]}): {out}{err}"
            is_live = story.live() is not None
            assert code == (0 if is_live else 75), where
            assert is_live or at is not None, where
            assert is_live or not [key for key in story.kept() if "/state" in key], where
            assert at is not None or story.told() == told, where
            assert ("warning" in err) is (is_live and at is not None), where
            story.must("promote", "--to", "prod")
            assert story.told() == told, where
            outcomes[code] += 1
        bench.put_back(objects, records)
    assert all(outcomes.values())
    with capsys.disabled():
        print(f"\npromote with {knows}: {len(calls)} calls, exit codes of runs with a fault: {outcomes}")
