"""Contract tests of jobs: a case with the job that it is about, and what came of it."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from windlass.jobs.case_model import CaseModels
from windlass.jobs.memory import LimitsOf, limits_in
from windlass.spec.case_file import CaseFile, resolve_task
from windlass.spec.model import Model
from windlass.spec.pipeline import Pipeline
from windlass.spec.task import Task

LINES = 20
"""So many of the last lines that a job printed are kept."""


@dataclass(frozen=True)
class Contract:
    """One case and what it is about; `broken` tells why it cannot be run, else it has a pipeline and a task."""

    file: CaseFile
    task_id: str
    pipeline: Pipeline | None = None
    broken: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`<pipeline>/<group.task>/<case>`."""
        return f"{self.file.pipeline}/{self.task_id}/{self.file.name}"

    @property
    def expects_little(self) -> bool:
        """Whether nothing is said about what the job writes: it only has to end well."""
        return not (self.file.expected or self.file.case.expect or self.file.case.fails)

    @property
    def task(self) -> Task:
        """The task; only of a case that is not broken."""
        assert self.pipeline is not None
        return self.pipeline.task_ids[self.task_id]


@dataclass(frozen=True)
class Result:
    """What came of a case: `problems` is empty when all is as expected, `lines` are the last that the job printed."""

    contract: Contract
    seconds: float
    problems: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bench:
    """What all cases share: the project, its models, where these are made, and what ends all scripts."""

    project: Path
    models: Mapping[str, Model]
    folders: CaseModels
    stop: int | None = None
    accept: bool = False
    limits_of: LimitsOf = field(default_factory=lambda: limits_in(None))


@dataclass
class CaseRun:
    """A run that has ended: how, and the files that it wrote."""

    seconds: float = 0.0
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=LINES))
    exit_code: int | None = None
    reason: str | None = None
    written: dict[str, Path] = field(default_factory=dict)


def contract_of(file: CaseFile, pipelines: Mapping[str, Pipeline], problems: Mapping[str, list[str]]) -> Contract:
    """The case with its pipeline; `problems` are what lint says of each file, by its path."""
    pipeline = pipelines.get(file.pipeline)
    ids = resolve_task(file.task, pipeline.task_ids) if pipeline else []
    task_id = ids[0] if len(ids) == 1 else file.task
    own = problems.get(file.document.path, [])
    broken = own if pipeline else [*problems.get(f"pipelines/{file.pipeline}.yml", [])[:1], *own]
    if pipeline is None and not broken:
        broken = [f"pipeline {file.pipeline!r} cannot be read; `windlass lint` says why"]
    return Contract(file, task_id, pipeline, tuple(broken))


def place(project: Path, file: CaseFile, path: str) -> Path:
    """Where a path of a case leads: into its own folder if it is there, else into the project."""
    own = project / file.path / path
    return own if own.exists() else project / path
