"""Rate limits, 5xx, silence and lost answers at every call that a delivery makes to GitLab, git's among them.

One that passes costs a pause; one that stays ends what must know GitLab with 75, and what only tells it with a warning.
There is never a second note, release, deployment, status or file.
"""

import itertools
from collections.abc import Callable, Iterator
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
    """Faults that begin at the call with the number `point`; `lasts` says whether every later one meets it too."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.point: int | None = None
        self.fault: Fault | None = None
        self.lasts = False

    @property
    def is_next(self) -> bool:
        """Whether the next call meets the fault."""
        at = len(self.calls)
        return self.point is not None and (at == self.point or (self.lasts and at > self.point))

    def take(self, method: str, path: str) -> Fault | None:
        met, kind = self.is_next, self.fault
        self.calls.append(f"{method} {path.partition('?')[0]}")
        return kind if met else None

    def begin(self, kind: str | None = None, point: int = 0, *, lasts: bool = False) -> None:
        """From now on calls are counted anew."""
        self.calls.clear()
        self.point, self.lasts = (point, lasts) if kind else (None, False)
        self.fault = KINDS[kind] if kind else None


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


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A release that is live in dev and stage, and a tag for it."""
    send = requests.adapters.HTTPAdapter.send
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("windlass.adapters.gitlab.connection.PAUSES", (0.0, 0.0))
        monkeypatch.setattr("windlass.adapters.git_server.PAUSES", (0.0, 0.0))
        with told_story(tmp_path_factory.mktemp("company"), monkeypatch, AtCall) as story:
            faults = story.company.standin.faults
            assert isinstance(faults, AtCall)

            def hasty(adapter: Any, request: Any, **options: Any) -> Any:
                """A client that waits briefly for the one answer that does not come."""
                if faults.is_next and faults.fault and faults.fault.kind == "silent":
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


def points(calls: list[str]) -> Iterator[tuple[int, str]]:
    """Each call with each kind of fault; git waits for an answer as long as a server takes: no silence there."""
    for at, call in enumerate(calls):
        for kind in KINDS:
            if kind != "silent" or "/api/v4/" in call:
                yield at, kind


def test_a_note_is_written_once_whatever_happens(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    story, faults = bench.story, bench.faults
    request = story.change("noted", "Noted", **{"pipelines/copy_rows.yml": PIPELINE % 2})
    numbers = itertools.count(1)
    with story.job("ann", "noted", request=request, WINDLASS_GITLAB_TOKEN=story.company.token("bot")):

        def plan() -> tuple[int, str]:
            story.monkeypatch.setenv("CI_PIPELINE_ID", str(next(numbers) + 10_000))
            code, _, err = story.run("plan", "--to", "dev", "--note")
            return code, err

        first = bench.calls(plan)
        again = bench.calls(plan)
        assert again != first
        for calls in (first, again):
            for at, kind in points(calls):
                for lasts in (False, True):
                    if calls is first:
                        for note in story.project.mergerequests.get(request.iid).notes.list(get_all=True):
                            note.system or note.delete()
                    faults.begin(kind, at, lasts=lasts)
                    code, err = plan()
                    faults.begin()
                    assert code == 1, f"{kind} at {at}: {err}"
                    assert ("does not show this plan" in err) is lasts, f"{kind} at {at}: {err}"
                    assert len(story.notes(request)) <= 1
                    assert lasts or len(story.notes(request)) == 1
                    assert plan()[0] == 1
                    assert len(story.notes(request)) == 1, f"{kind} at {at}"
    with capsys.disabled():
        print(f"\nplan --note: {len(first)} and {len(again)} calls, each with {len(KINDS)} faults that pass and stay")


@pytest.mark.parametrize("knows", ["the job token alone", "a token that reads all"])
def test_a_gate_asks_again_and_then_gives_up_for_now(
    bench: Bench, knows: str, capsys: pytest.CaptureFixture[str]
) -> None:
    story, faults = bench.story, bench.faults
    more = {} if knows == "the job token alone" else {"WINDLASS_GITLAB_TOKEN": story.company.token("root")}
    with story.job("dev", "v1.0.0", tag=True, **more):
        calls = bench.calls(lambda: story.must("gate", "--to", "prod"))
        before = dict(story.store.objects)
        count = 0
        for at, kind in points(calls):
            for lasts in (False, True):
                faults.begin(kind, at, lasts=lasts)
                code, out, err = story.run("gate", "--to", "prod")
                faults.begin()
                assert code == (75 if lasts else 0), f"{kind} at {at} ({calls[at]}), {lasts}: {out}{err}"
                count += 1
    assert story.store.objects == before
    with capsys.disabled():
        print(f"\ngate with {knows}: {count} faults at {len(calls)} calls")


@pytest.mark.parametrize("knows", ["the job token alone", "a token that reads all"])
def test_a_promotion_is_told_once_whatever_happens(
    bench: Bench, knows: str, capsys: pytest.CaptureFixture[str]
) -> None:
    story, faults = bench.story, bench.faults
    more = {} if knows == "the job token alone" else {"WINDLASS_GITLAB_TOKEN": story.company.token("root")}
    objects, records = dict(story.store.objects), bench.records()
    with story.job("dev", "v1.0.0", tag=True, **more):
        calls = bench.calls(lambda: story.must("promote", "--to", "prod"))
        told = story.told()
        assert [len(told[name]) for name in OWN] == [3, 1, 0 if knows == "the job token alone" else 1, 1]
        count, outcomes = 0, {0: 0, 75: 0}
        for at, kind in points(calls):
            for lasts in (False, True):
                bench.put_back(objects, records)
                faults.begin(kind, at, lasts=lasts)
                code, out, err = story.run("promote", "--to", "prod")
                faults.begin()
                where = f"{kind} at {at} ({calls[at]}), {lasts}: {out}{err}"
                is_live = story.live() is not None
                assert code == (0 if is_live else 75), where
                assert is_live or lasts, where
                assert is_live or not [key for key in story.kept() if "/state" in key], where
                assert story.must("promote", "--to", "prod")
                assert story.told() == told, where
                outcomes[code] += 1
                count += 1
        bench.put_back(objects, records)
    assert all(outcomes.values())
    with capsys.disabled():
        print(f"\npromote with {knows}: {count} faults at {len(calls)} calls, exit codes {outcomes}")


