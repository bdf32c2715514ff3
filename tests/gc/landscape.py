"""Three environments in memory with a clock of their own, and an Airflow that tells what it uses."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.delivery.conftest import World, settings
from tests.fakes.airflow_reports import dag_report
from tests.fakes.memory_store import MemoryStore
from windlass.delivery.gc.gc import Name, Unit, perform_gc
from windlass.delivery.gc.needed import Rules, deciding_gc
from windlass.delivery.history.states import load_current
from windlass.delivery.place import Place
from windlass.delivery.plan.plan import Origin
from windlass.delivery.promotion.perform import Author, Outcome, perform
from windlass.delivery.promotion.survey import deciding_promotion
from windlass.delivery.release.archive import Archive, read_archive
from windlass.spec.airflow import DagReport, Run
from windlass.spec.model import model_key, read_version
from windlass.spec.release import release_key
from windlass.spec.state import State

ENVIRONMENTS = ("dev", "stage", "prod")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class UseInMemory:
    """Says what its lists hold; `tick` is called before each answer and may raise."""

    reports: list[DagReport] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    tick: Callable[[str], None] = lambda call: None

    def dags(self, bundle: str) -> list[DagReport]:
        self.tick("dags")
        return list(self.reports)

    def unfinished_runs(self) -> list[Run]:
        self.tick("unfinished_runs")
        return list(self.runs)


@dataclass
class Landscape:
    """dev, stage and prod; what is published and trained is written at the clock's time."""

    days: float = 0.0
    world: World = field(default_factory=World)
    airflow: UseInMemory = field(default_factory=UseInMemory)

    def __post_init__(self) -> None:
        self.store.now = lambda: self.today

    @property
    def store(self) -> MemoryStore:
        return self.world.store

    @property
    def today(self) -> datetime:
        return BEGIN + timedelta(days=self.days)

    def release(self, number: int, model: str | None = None, project: str = "digits") -> Archive:
        """Publishes (and trains) as CI would; each number is another release."""
        before = set(self.store.objects)
        if model and not self.store.exists(model_key("dev", "digits", model)):
            self.world.train(model, 0.95)
        pinned = {"digits": model} if model else {}
        archive = self.world.publish(f"{number:040x}", {f"{project}_read": str(number)}, pinned, project=project)
        for key in set(self.store.objects) - before:
            self.store.written[key] = self.today
        return archive

    def promote(self, archive: Archive, number: int, to: str, project: str = "digits") -> Outcome:
        source = self.world.place({"dev": "dev", "stage": "dev", "prod": "stage"}[to])
        release = read_archive(project, archive.digest, archive.content)
        places = source, self.world.place(to)
        decide = deciding_promotion(*places, settings(to), release, Origin(f"{number:040x}"))
        return perform(decide, *places, Author(), clock=self.world.clock)

    def gc(
        self, name: str = "dev", keep: int = 1, days: float = 30, tick: Callable[[], None] = lambda: None
    ) -> list[Name]:
        """Removes, and returns what went."""
        decide = self.deciding(name, keep, days)
        return [unit.name for unit in perform_gc(decide, self.world.place(name), lambda message: tick())]

    def planned(self, name: str = "dev", keep: int = 1, days: float = 30) -> list[Unit]:
        return list(self.deciding(name, keep, days)()[0].removals)

    def deciding(self, name: str, keep: int, days: float):
        everywhere = [self.world.place(each) for each in ENVIRONMENTS]
        limit = self.today - timedelta(days=days)
        return deciding_gc(self.world.place(name), everywhere, self.airflow, "windlass", Rules(keep, limit))

    def live(self, name: str) -> State | None:
        return load_current(self.store, name).state

    def missing(self) -> list[str]:
        """Every key that a live state needs and that is not there."""
        lost: list[str] = []
        for name in ENVIRONMENTS:
            state = self.live(name)
            lost += missing_of(self.world.place(name), state) if state else []
        return lost


def missing_of(place: Place, state: State) -> list[str]:
    """Every key that staging and running `state` needs and that is not there."""
    objects = place.code.objects
    wanted = [f"{place.prefix}/states/{state.name}.json"]
    for project, live in state.projects.items():
        wanted.append(release_key(place.prefix, project, live.release))
        for model, version in live.models.items():
            described = model_key(place.prefix, model, version)
            wanted.append(described)
            files = read_version(objects[described], described).files if described in objects else {}
            wanted += [f"{place.prefix}/{model}/{version}/{file.key}" for file in files.values()]
    return [key for key in wanted if key not in objects]


def run_of(dag_id: str, version: str, state: str = "running") -> Run:
    """An unfinished run."""
    return Run(dag_id, f"{dag_id}-{version}", state, version)


__all__ = ["Landscape", "dag_report", "missing_of", "run_of"]
