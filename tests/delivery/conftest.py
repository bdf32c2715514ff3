"""Two environments in memory, dev with a published release and a trained model, stage with nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from tests.fakes.airflow_reports import FakeAirflow, FakeClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.releases import SETTINGS, release_files
from windlass.cli.context import OpenStore
from windlass.delivery.history.states import load_current
from windlass.delivery.place import Place
from windlass.delivery.plan.plan import Origin
from windlass.delivery.promotion.perform import Author, Clock, Outcome, perform
from windlass.delivery.promotion.survey import deciding_promotion, deciding_rollback, load_release
from windlass.delivery.release.archive import Archive, build_archive, digest_of, read_archive
from windlass.delivery.release.provenance import keep_provenance
from windlass.delivery.verification.judge import Bench, Conclusion, Trial, conclude
from windlass.spec.model import Gate, ModelVersion, StoredFile, model_key
from windlass.spec.release import Provenance, release_key
from windlass.spec.state import ProjectState, State

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@dataclass
class World:
    """Environments that share one store, as prefixes do in one bucket."""

    store: MemoryStore = field(default_factory=MemoryStore)
    slept: list[float] = field(default_factory=list)

    def place(self, name: str) -> Place:
        return Place(name, name, self.store, self.store)

    def train(self, version: str, accuracy: float, name: str = "digits", place: str = "dev") -> str:
        content = f"weights {version}".encode()
        key = f"files/{digest_of(content)[:16]}/digits.joblib"
        described = ModelVersion(
            model=name,
            version=version,
            inputs={},
            metrics={"accuracy": accuracy},
            gates={"accuracy": Gate(at_least=0.9, not_below="live")},
            files={"digits.joblib": StoredFile(key=key, sha256=digest_of(content), size=len(content))},
            commit=None,
            job_url=None,
            trained_at="2026-11-22T09:00:00Z",
            seconds=1.0,
            tool_version="0",
        )
        self.store.objects[f"{place}/{name}/{version}/{key}"] = content
        self.store.objects[model_key(place, name, version)] = described.to_json()
        return version

    def publish(
        self,
        commit: str,
        dags: dict[str, str],
        models: dict[str, str] | None = None,
        *,
        project: str = "digits",
        tag: str | None = None,
        operator: str = "I say ",
    ) -> Archive:
        archive = build_archive(project, release_files(project, dags, operator, models))
        self.store.objects[release_key("dev", project, archive.digest)] = archive.content
        keep_provenance(
            self.place("dev"),
            Provenance(
                project=project,
                release=archive.digest,
                commit=commit,
                tag=tag,
                built_at="2026-11-22T09:30:00Z",
                tool_version="0",
            ),
        )
        return archive

    def promote(
        self,
        archive: Archive,
        commit: str,
        to: str,
        *,
        source: str = "dev",
        tag: str | None = None,
        project: str = "digits",
        gated: bool = False,
    ) -> Outcome:
        release = read_archive(project, archive.digest, archive.content)
        places = self.place(source), self.place(to)
        decide = deciding_promotion(*places, settings(to), release, Origin(commit, tag), gated=gated)
        return perform(decide, *places, Author(actor="ann"), clock=self.clock)

    def rollback(self, earlier: ProjectState, to: str, project: str = "digits") -> Outcome:
        place = self.place(to)
        release = load_release(place, project, earlier.release)
        decide = deciding_rollback(place, settings(to), release, Origin(earlier.commit, earlier.tag, earlier.url))
        return perform(decide, place, place, Author(actor="ann", reason="wrong"), clock=self.clock)

    def conclude(
        self, airflow: FakeAirflow, state: State, trial: Trial, *, may_go_back: bool = True, project: str = "digits"
    ) -> Conclusion:
        clock = FakeClock()
        bench = Bench(airflow, self.store, Clock(now=lambda: NOW, sleep=clock.sleep), clock.monotonic)
        place = self.place(state.environment.name)
        return conclude(bench, trial, place, state, project, Author(actor="ann"), may_go_back=may_go_back)

    def live(self, environment: str = "stage") -> State:
        state = load_current(self.store, environment).state
        assert state is not None
        return state

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: NOW, sleep=self.slept.append)


def settings(name: str):
    return SETTINGS.model_copy(update={"name": name, "prefix": name})


@pytest.fixture
def world() -> World:
    return World()


WorldFactory = Callable[[], World]


@pytest.fixture
def open_store() -> OpenStore | None:
    """None: the commands open S3's buckets by themselves. A module that needs no protocol imports in_memory's."""
    return None
