"""Runs one job outside of Airflow, as the local backend runs it on a worker."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from windlass.jobs.run_context import RunContext, Templates
from windlass.jobs.values import Value, fetcher
from windlass.runtime.job import Job, JobFiles, Place, run_job
from windlass.runtime.process import Finished, Limits
from windlass.spec import task as spec


@dataclass(frozen=True)
class OneJob:
    """A job with all that it takes; its outputs are left in `folder`, by their file names.

    `names` are the file names that inputs have in Airflow; `index` is that among the runs of a mapped task, or -1.
    """

    job: spec.Job
    task_id: str
    inputs: Mapping[str, Value]
    outputs: Mapping[str, str]
    folder: Path
    run: RunContext
    parameters: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    index: int = -1


SCRATCH = "job"
"""The folder of a job's work, inputs and temporary files inside its folder: gone when it has ended well."""


def run_one(
    one: OneJob,
    log: Callable[[str], None],
    stop: int | None = None,
    *,
    keep: bool = False,
    place: Place | None = None,
    limits: Limits | None = None,
) -> Finished:
    """How the script ended; RuntimeStop when not well.

    `keep` leaves the folder that it ran in, `place` is where its script runs, if not here,
    and `limits` are what it may take.
    """
    scratch = one.folder / SCRATCH
    shutil.rmtree(scratch, ignore_errors=True)

    def kept(port: str, path: Path) -> None:
        path.resolve().replace(one.folder / path.name)

    job = Job(
        one.job.execution_script,
        one.job.execution_time,
        tuple(one.inputs),
        one.outputs,
        one.parameters,
        one.run.variables(one.task_id, one.index),
        limits or Limits(),
    )
    templates = Templates(one.run, one.task_id, one.index)
    finished = run_job(job, scratch, JobFiles(fetcher(one.inputs, one.names), kept), log, templates.fill, stop, place)
    if not keep:
        shutil.rmtree(scratch, ignore_errors=True)
    return finished
