"""An Airflow in memory: one that is told what to report, look by look, and one that follows an environment's state."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from tests.fakes.memory_store import MemoryStore
from windlass.delivery.history.states import pointer_key
from windlass.delivery.release.archive import read_archive
from windlass.spec.airflow import DagReport, ImportProblem, Run, TaskRun
from windlass.spec.errors import DeliveryError, ServiceError
from windlass.spec.release import release_key
from windlass.spec.state import State, read_state

Answer = TypeVar("Answer")


def dag_report(dag_id: str, version: str | None, *, project: str = "digits", is_stale: bool = False) -> DagReport:
    """A DAG of the project as Airflow reports it."""
    return DagReport(dag_id, version, is_stale, f"{project}/dags/{dag_id}.py", f"token-{dag_id}")


@dataclass
class FakeAirflow:
    """Reports what its lists hold; `tick` is called before each look and may change them or raise.

    `before` and `after` see each request by its name and may raise. A run that is triggered ends at once as `outcome`
    says, in the version that its DAG is at.
    """

    reports: list[DagReport] = field(default_factory=list)
    problems: list[ImportProblem] = field(default_factory=list)
    not_serialized: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    processor: str | None = None
    tick: Callable[[], None] = lambda: None
    before: Callable[[str], None] = lambda call: None
    after: Callable[[str], None] = lambda call: None
    calls: list[str] = field(default_factory=list)
    begun: dict[tuple[str, str], Run] = field(default_factory=dict)
    triggered: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    outcome: Callable[[DagReport], str] = lambda report: "success"
    tasks: list[TaskRun] = field(default_factory=list)

    def dags(self, bundle: str) -> list[DagReport]:
        return self._answer("dags", self._dags)

    def serialized_at(self, bundle: str, version: str) -> set[str]:
        return self._answer(
            "serialized_at",
            lambda: {report.dag_id for report in self.reports if report.version == version} - self.not_serialized,
        )

    def import_problems(self, bundle: str) -> list[ImportProblem]:
        return self._answer("import_problems", lambda: list(self.problems))

    def ask_to_parse(self, token: str) -> None:
        self._answer("ask_to_parse", lambda: self.asked.append(token))

    def processor_problem(self) -> str | None:
        return self._answer("processor_problem", lambda: self.processor)

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None, run_id: str | None = None) -> Run:
        return self._answer("trigger", lambda: self._trigger(dag_id, conf or {}, run_id or "manual"))

    def run(self, dag_id: str, run_id: str) -> Run:
        return self._answer("run", lambda: self._run(dag_id, run_id))

    def task_runs(self, dag_id: str, run_id: str) -> list[TaskRun]:
        return self._answer("task_runs", lambda: list(self.tasks))

    def _dags(self) -> list[DagReport]:
        self.tick()
        return list(self.reports)

    def _trigger(self, dag_id: str, conf: dict[str, Any], run_id: str) -> Run:
        if (dag_id, run_id) in self.begun:
            raise ServiceError(f"Airflow refuses POST dags/{dag_id}/dagRuns: there is a run {run_id} already")
        report = next(report for report in self.reports if report.dag_id == dag_id)
        self.triggered.append((dag_id, run_id, conf))
        run = Run(dag_id, run_id, self.outcome(report), report.version, "2026-11-22", "2026-11-22T10:00:00Z")
        self.begun[dag_id, run_id] = run
        return run

    def _run(self, dag_id: str, run_id: str) -> Run:
        if (dag_id, run_id) not in self.begun:
            raise DeliveryError(f"Airflow has no dags/{dag_id}/dagRuns/{run_id}: not found")
        return self.begun[dag_id, run_id]

    def _answer(self, name: str, make: Callable[[], Answer]) -> Answer:
        self.calls.append(name)
        self.before(name)
        try:
            return make()
        finally:
            self.after(name)


@dataclass
class FollowingAirflow(FakeAirflow):
    """Shows at once what is live at `prefix`. Files of the releases in `broken` cannot be imported."""

    store: MemoryStore = field(default_factory=MemoryStore)
    prefix: str = "stage"
    broken: set[str] = field(default_factory=set)
    paused: bool = False

    def _dags(self) -> list[DagReport]:
        state = self._state()
        known = {report.dag_id for report in self.reports}
        alive: dict[str, DagReport] = {}
        self.problems = []
        for project, live in state.projects.items() if state else []:
            content = self.store.objects[release_key(self.prefix, project, live.release)]
            for dag_id in read_archive(project, live.release, content).manifest.pipelines:
                file = f"{project}/dags/{dag_id}.py"
                if live.release in self.broken:
                    self.problems.append(ImportProblem(file, state.name if state else "", "KeyError: 'x'"))
                else:
                    name = state.name if state else None
                    alive[dag_id] = DagReport(dag_id, name, False, file, f"token-{dag_id}", self.paused)
        gone = [dag_report(dag_id, None, is_stale=True) for dag_id in sorted(known - alive.keys())]
        self.reports = [*alive.values(), *gone]
        return super()._dags()

    def _state(self) -> State | None:
        content = self.store.objects.get(pointer_key(self.prefix))
        return read_state(content, self.prefix) if content else None


@dataclass
class FakeClock:
    """A clock that moves only when somebody sleeps."""

    seconds: float = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
