"""The port to an Airflow: what it reports about the DAGs of a bundle, so that a fake can stand in for it."""

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class DagReport:
    """What Airflow says of one DAG; `file` is relative to the bundle, `token` stands for the file in requests.

    `parsed` is when its file was parsed last (ISO time).
    """

    dag_id: str
    version: str | None
    is_stale: bool
    file: str
    token: str
    is_paused: bool = False
    parsed: str | None = None


@dataclass(frozen=True)
class ImportProblem:
    """A file that Airflow could not import, when it last tried (ISO time), and the traceback."""

    file: str
    at: str
    stacktrace: str


@dataclass(frozen=True)
class Run:
    """One DAG run and the bundle version that it began with; `date` is the day (UTC) that it is for: `2026-01-31`.

    `began` is when its first task was to begin (ISO time), or None while it waits.
    """

    dag_id: str
    run_id: str
    state: str
    version: str | None
    date: str | None = None
    began: str | None = None


@dataclass(frozen=True)
class TaskRun:
    """One task of a run; `try_number` counts from 1 once it began."""

    task_id: str
    state: str | None
    try_number: int


class AirflowReports(Protocol):
    """What a verification needs. Every method raises TransientError (no answer) or ServiceError (refused)."""

    def dags(self, bundle: str) -> list[DagReport]:
        """All DAGs of the bundle, stale ones too."""

    def serialized_at(self, bundle: str, version: str) -> set[str]:
        """The ids of the DAGs that have a `dag_version` of this bundle version."""

    def import_problems(self, bundle: str) -> list[ImportProblem]:
        """The import errors in files of the bundle."""

    def source(self, dag_id: str) -> str:
        """The text of the file that Airflow has the DAG from, as it found it when it parsed that last."""

    def ask_to_parse(self, token: str) -> None:
        """Asks for the file to be parsed soon; the bundle is refreshed for it."""

    def processor_problem(self) -> str | None:
        """Why nothing may be parsed at the moment, or None."""

    def trigger(self, dag_id: str, conf: dict[str, Any] | None = None, run_id: str | None = None) -> Run:
        """Begins a run; ServiceError when there is one of that id already."""

    def run(self, dag_id: str, run_id: str) -> Run:
        """The run as it stands now; DeliveryError when there is none."""

    def task_runs(self, dag_id: str, run_id: str) -> list[TaskRun]:
        """The tasks of a run."""
