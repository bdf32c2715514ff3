"""GitLab, S3 and Airflow failing, or the job killed, at every call that the commands of reviews make.

What such a run leaves is whole: the review is in or out, and nobody else's. A second run ends what the first began.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from tests.delivery.test_perform import Killed
from tests.fakes.memory_store import MemoryStore
from tests.gate.story import AIRFLOW, Story
from tests.gate.test_standin_faults import KINDS, AtCall, impatient_story
from windlass.delivery.history.ledger import read_history
from windlass.spec.errors import TransientError

pytestmark = pytest.mark.stack

PIPELINE = """\
dag: {name: copy_rows, description: Copies rows, tags: [x]}
tasks:
  take: {rows: {operator_type: s3_to_file, key: incoming/rows.csv, outputs: {rows: rows.csv}}}
  keep: {rows: {operator_type: deliver, to: rows.csv, inputs: {rows: take.rows.rows}}}
"""
WAYS = [(kind, moment) for moment in ("before", "after") for kind in ("fails", "killed")]
"""What a call of S3 or Airflow meets: it does not arrive or its answer is lost, and the job hears of it or is gone."""
WIDE = pytest.mark.parametrize(
    "is_wide",
    [pytest.param(False, id="one way at each call"), pytest.param(True, marks=pytest.mark.e2e, id="every way")],
)


class Trouble:
    """The calls to S3 and Airflow in order, and what the one numbered `point` meets."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.point, self.way = -1, WAYS[0]

    def begin(self, point: int = -1, way: tuple[str, str] = WAYS[0]) -> None:
        self.calls.clear()
        self.point, self.way = point, way

    def meets(self, moment: str, call: str) -> bool:
        """Whether the call fails now; raises where the job is killed."""
        if moment == "before":
            self.calls.append(call)
        if len(self.calls) - 1 != self.point or self.way[1] != moment:
            return False
        if self.way[0] == "killed":
            raise Killed(call)
        return True

    def s3(self, moment: str) -> Callable[[str], None]:
        """A hook of the store."""

        def hook(call: str) -> None:
            if self.meets(moment, f"S3 {call}"):
                raise TransientError(f"S3 does not answer: {call}")

        return hook


@dataclass
class Bench:
    """dev with the real project, two merge requests whose models are trained, and every service's calls."""

    story: Story
    faults: AtCall
    trouble: Trouble = field(default_factory=Trouble)
    requests: list[Any] = field(default_factory=list)

    def run(self, *arguments: str) -> int:
        """The exit code of `windlass review ARGUMENTS`; -9 where the job was killed."""
        try:
            return self.story.run("review", *arguments)[0]
        except Killed:
            return -9

    def essence(self) -> tuple[Any, ...]:
        """What counts: which commit of which project is live, how often that changed, and what Airflow shows."""
        live = self.story.live("dev")
        assert live
        dags = {(dag["dag_id"], dag["is_stale"]) for dag in self.story.airflow._dags("dev")}
        return {name: one.commit for name, one in live.projects.items()}, live.serial, dags

    def kept(self) -> tuple[dict[str, bytes], dict[tuple[str, str], dict[str, Any]]]:
        return dict(self.story.store.objects), dict(self.story.airflow.rows)

    def put_back(self, kept: tuple[dict[str, bytes], dict[tuple[str, str], dict[str, Any]]]) -> None:
        objects, rows = kept
        self.story.store.objects.clear()
        self.story.store.objects.update(objects)
        self.story.airflow.rows.clear()
        self.story.airflow.rows.update(rows)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    send = requests.adapters.HTTPAdapter.send
    with impatient_story(tmp_path_factory.mktemp("reviews")) as (story, faults, monkeypatch):
        bench = Bench(story, faults)

        def watched(adapter: Any, request: Any, **options: Any) -> Any:
            if not request.url.startswith(story.airflow_url):
                fault = faults.meets(request.method, request.path_url)
                return send(adapter, request, **{**options, "timeout": 0.05 if _is_silent(fault) else 10})
            call = f"Airflow {request.method} {request.path_url}"
            if bench.trouble.meets("before", call):
                raise requests.ConnectionError(call)
            answer = send(adapter, request, **options)
            if bench.trouble.meets("after", call):
                raise requests.ReadTimeout(call)
            return answer

        story.begin()
        story.airflow.keeps_rows = True
        story.airflow.store = MemoryStore(objects=story.store.objects)  # its own calls are no part of this
        dev = f"extends: base\nverify: {{timeout: 1 second}}\n{AIRFLOW % (story.airflow_url, 'dev')}"
        story.platform.commit("dev", **{"environments/dev.yml": dev})
        story.platform.push("platform/windlass", "main")
        story.merge(story.change("first", "First", **{"pipelines/copy_rows.yml": PIPELINE}))
        with story.job("mia"):
            story.must("release")
            story.must("promote", "--to", "dev")
        for name in ("one", "two"):
            changed = {"pipelines/copy_rows.yml": PIPELINE.replace("tags: [x]", f"tags: [{name}]")}
            bench.requests.append(story.change(name, name, **changed))
        monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", watched)
        story.store.before, story.store.after = bench.trouble.s3("before"), bench.trouble.s3("after")
        yield bench


def _is_silent(fault: Any) -> bool:
    return fault is not None and fault.kind == "silent"


def up(bench: Bench) -> int:
    return bench.run("up", "--dotenv", str(bench.story.folder / "review.env"))


def down(bench: Bench) -> int:
    return bench.run("down")


def closed(bench: Bench) -> int:
    return bench.run("down", "--closed")


def listed(bench: Bench) -> int:
    return bench.run("list", "--json")


@dataclass(frozen=True)
class Scene:
    """A command, the merge request whose job runs it, and the reviews that are live before."""

    command: Callable[[Bench], int]
    of: int | None
    before: tuple[int, ...]
    asks_gitlab: bool = True


SCENES = {
    "up": Scene(up, 0, ()),
    "up again": Scene(up, 0, (0,)),
    "down": Scene(down, 0, (0, 1), asks_gitlab=False),
    "down --closed": Scene(closed, None, (0, 1)),
    "list": Scene(listed, None, (0,), asks_gitlab=False),
}


@pytest.fixture(params=SCENES)
def scene(bench: Bench, request: pytest.FixtureRequest) -> Iterator[Scene]:
    """The scene prepared: inside of its job, which may read merge requests."""
    scene, story = SCENES[request.param], bench.story
    untouched = bench.kept()
    for number in scene.before:
        with story.job("ann", ("one", "two")[number], request=bench.requests[number]):
            assert up(bench) == 0, story.said[-2:]
    if request.param == "up again":
        story.checkout.git("checkout", "--quiet", "one")
        story.push("one", "again", **{"pipelines/copy_rows.yml": PIPELINE.replace("[x]", f"[push{len(story.said)}]")})
    if scene.of is None:
        project = story.project.mergerequests
        for number in (0, 1):
            found = project.get(bench.requests[number].iid)
            found.state_event = "close" if number == 0 and request.param == "down --closed" else "reopen"
            found.save()
        job = story.job("mia")
    else:
        job = story.job("ann", ("one", "two")[scene.of], request=bench.requests[scene.of])
    with job:
        yield scene
    bench.faults.begin()
    bench.trouble.begin()
    bench.put_back(untouched)


@WIDE
def test_wherever_s3_or_airflow_fails_or_the_job_is_killed_the_next_one_ends_it(
    bench: Bench, scene: Scene, is_wide: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, first = bench.kept(), bench.essence()
    bench.trouble.begin()
    assert scene.command(bench) == 0, bench.story.said[-2:]
    calls, last = list(bench.trouble.calls), bench.essence()
    codes: dict[int, int] = {}
    met = set()
    for point, call in enumerate(calls):
        for number, way in enumerate(WAYS):
            if not is_wide and number != point % len(WAYS):
                continue
            bench.put_back(kept)
            bench.trouble.begin(point, way)
            code = scene.command(bench)
            assert len(bench.trouble.calls) > point, f"{call} is not met"
            bench.trouble.begin()
            where = f"{way} at {call}: {code} {bench.story.said[-2:]}"
            found = bench.essence()
            assert found[:2] in (first[:2], last[:2]), where
            assert (code == -9) is (way[0] == "killed"), where
            assert code in (-9, 0, 75), where
            assert code != 0 or found[:2] == last[:2], where
            met.add(found[:2] == last[:2])
            codes[code] = codes.get(code, 0) + 1
            assert scene.command(bench) == 0, f"{where}, and then {bench.story.said[-2:]}"
            assert bench.essence() == last, where
            assert read_history(bench.story.store, "dev", check=True).faults == [], where
            left = bench.story.store.objects.keys() - kept[0].keys()
            assert not [key for key in left if "_mr" not in key and "/state" not in key and "/ledger" not in key], where
    assert met == {first[:2] == last[:2], True}
    with capsys.disabled():
        print(f"\n{len(calls)} calls of S3 and Airflow, exit codes of the runs that met something: {codes}")


@WIDE
def test_a_gitlab_in_trouble_is_asked_again_and_then_nothing_has_changed(
    bench: Bench, scene: Scene, is_wide: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, first = bench.kept(), bench.essence()
    bench.faults.begin()
    assert scene.command(bench) == 0, bench.story.said[-2:]
    calls, last = list(bench.faults.calls), bench.essence()
    assert bool(calls) is scene.asks_gitlab
    points: list[tuple[str, int | None]] = [(kind, None) for kind in KINDS] if calls else []
    for at, call in enumerate(calls):
        fit = [kind for kind in KINDS if kind != "silent" or "/api/v4/" in call]
        points += [(kind, at) for number, kind in enumerate(fit) if is_wide or number == at % len(fit)]
    for kind, at in points:
        bench.put_back(kept)
        bench.faults.begin(kind, at)
        code = scene.command(bench)
        bench.faults.begin()
        where = f"{kind} at {at} of {calls}: {bench.story.said[-2:]}"
        assert code == (0 if at is None else 75), where
        assert bench.essence() == (last if at is None else first), where
        assert scene.command(bench) == 0, where
        assert bench.essence() == last, where
    with capsys.disabled():
        print(f"\n{len(calls)} calls of GitLab, {len(points)} runs with a fault")
