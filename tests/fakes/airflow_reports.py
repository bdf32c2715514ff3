"""An Airflow in memory that is told what to report, look by look."""

from collections.abc import Callable
from dataclasses import dataclass, field

from windlass.spec.airflow import DagReport, ImportProblem


def dag_report(dag_id: str, version: str | None, *, project: str = "digits", is_stale: bool = False) -> DagReport:
    """A DAG of the project as Airflow reports it."""
    return DagReport(dag_id, version, is_stale, f"{project}/dags/{dag_id}.py", f"token-{dag_id}")


@dataclass
class FakeAirflow:
    """Reports what its lists hold; `tick` is called before each look and may change them or raise."""

    reports: list[DagReport] = field(default_factory=list)
    problems: list[ImportProblem] = field(default_factory=list)
    not_serialized: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    processor: str | None = None
    tick: Callable[[], None] = lambda: None

    def dags(self, bundle: str) -> list[DagReport]:
        self.tick()
        return list(self.reports)

    def serialized_at(self, bundle: str, version: str) -> set[str]:
        return {report.dag_id for report in self.reports if report.version == version} - self.not_serialized

    def import_problems(self, bundle: str) -> list[ImportProblem]:
        return list(self.problems)

    def ask_to_parse(self, token: str) -> None:
        self.asked.append(token)

    def processor_problem(self) -> str | None:
        return self.processor


@dataclass
class FakeClock:
    """A clock that moves only when somebody sleeps."""

    seconds: float = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
