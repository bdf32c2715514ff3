"""Runs a job as a subprocess on the Airflow worker."""

import tempfile
from pathlib import Path
from typing import Any

from .errors import RuntimeStop
from .job import Job, JobFiles, run_job
from .process import Limits, size_in_bytes
from .settings import Settings
from .storage import Storage
from .transfer import fetch_input, transfer_folder
from .variables import run_variables


def run_locally(task: Any, context: Any, settings: Settings) -> dict[str, Any]:
    """The references of the outputs by port, when the script of `task`, a JobOperator, has ended well."""
    storage, transfer, kept = Storage(settings.endpoint), transfer_folder(settings, context["ti"]), {}

    def fetch(port: str, folder: Path) -> Path:
        path = fetch_input(storage, settings, port, task.inputs[port], folder)
        task.log.info("fetched input %s to %s", port, path)
        return path

    def keep(port: str, path: Path) -> None:
        kept[port] = storage.keep(settings.data, f"{transfer}/{path.name}", path)
        task.log.info("kept output %s: s3://%s/%s", port, settings.data, kept[port]["key"])

    job = Job(
        task.execution_script,
        task.execution_time,
        tuple(task.inputs),
        task.outputs,
        task.parameters,
        run_variables(settings, context["ti"]),
        limits_of(task.resource_flavor, settings),
    )
    task.stop = _stop
    with tempfile.TemporaryDirectory(prefix="windlass-") as folder:
        files = JobFiles(fetch, keep)
        finished = run_job(job, Path(folder), files, task.log.info, lambda script: task.rendered(script, context))
    task.stop = None
    task.log.info(
        "the script ended well after %.1f seconds with at most %s MB in a process",
        finished.seconds,
        (finished.peak or 0) // 10**6,
    )
    return kept


def limits_of(flavor: str | None, settings: Settings) -> Limits:
    """What a job of that flavor may take of the worker."""
    memory = settings.flavors.get(flavor or "", {}).get("memory")
    return Limits(memory=size_in_bytes(str(memory)), flavor=str(flavor)) if memory else Limits()


def _stop() -> None:
    """Airflow calls `on_kill` at SIGTERM and then lets `execute` go on: only raising ends the script and the task."""
    raise RuntimeStop("the task was told to stop while its script ran; the script was ended")
