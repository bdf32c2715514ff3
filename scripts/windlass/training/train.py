"""Trains a model, judges it, and keeps it; a model that is refused leaves nothing behind."""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from windlass import __version__
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.job import Job, JobFiles, run_job
from windlass.spec.errors import WindlassError
from windlass.spec.model import Model, ModelVersion, failed_gates, version_name
from windlass.spec.store import Store
from windlass.training.kept import find_version, keep_files, keep_version
from windlass.training.metrics import read_metrics
from windlass.training.project_files import copy_files, file_digest
from windlass.training.testing import run_tests
from windlass.training.versions import data_file, is_uri, version_inputs


class Source(Protocol):
    """Where training data comes from."""

    def fetch(self, uri: str, path: Path) -> str:
        """Writes the object to `path`, a piece at a time, and returns its SHA-256 in hex."""


@dataclass(frozen=True)
class Workshop:
    """What training needs of the outside: data, the model bucket with the environment's prefix, and an ear."""

    source: Source
    store: Store
    prefix: str
    log: Callable[[str], None]


@dataclass(frozen=True)
class Origin:
    """Who trains: written down with the version. `at` is a time in ISO 8601."""

    commit: str | None
    job_url: str | None
    at: str


@dataclass(frozen=True)
class Outcome:
    """What became of a model; `reasons` tells why it was refused, `trained` whether a job had to run for it."""

    model: str
    version: str
    metrics: Mapping[str, float]
    seconds: float
    trained: bool
    reasons: tuple[str, ...] = ()


def train(
    project_dir: Path,
    name: str,
    model: Model,
    workshop: Workshop,
    origin: Origin,
    live: Mapping[str, float] | None,
) -> Outcome:
    """Trains the model unless a version from the same inputs is kept already.

    Tests, the job, metrics and gates may refuse it: then the outcome has reasons and the bucket is as it was. `live`
    are the metrics of the version that is live in the target environment.
    """
    with tempfile.TemporaryDirectory(prefix="windlass-train-", ignore_cleanup_errors=True) as folder:
        workspace = Path(folder)
        data, digests = _fetch_data(project_dir, name, model, workshop, workspace / "data")
        inputs = version_inputs(project_dir, name, model, digests)
        version = version_name(inputs)
        known = find_version(workshop.store, workshop.prefix, name, version)
        if known:
            workshop.log(f"version {version} was trained from the same inputs already, at {known.trained_at}")
            return _judged(known, model, live, trained=False)

        def refused(reason: str) -> Outcome:
            return Outcome(name, version, {}, 0.0, True, (reason,))

        if model.tests:
            workshop.log(f"tests: {model.tests}")
            tested = run_tests(project_dir, model.tests, workshop.log)
            if tested.reason:
                return refused(f"the test run {tested.reason}")
        workshop.log(f"trains version {version}: {model.train.execution_script}")
        copy_files(project_dir, inputs["code"], workspace / "work")
        _require_unchanged(workspace / "work", name, inputs["code"], inputs["code"])
        try:
            outputs, seconds = _run(model, data, workspace, workshop.log)
            metrics = read_metrics(outputs.pop("metrics"))
        except (RuntimeStop, WindlassError) as stop:
            return refused(str(stop))
        reasons = failed_gates(model.gates, metrics, live)
        if reasons:
            return Outcome(name, version, metrics, seconds, True, tuple(reasons))
        _require_unchanged(project_dir, name, model.files, inputs["code"])
        files = {path.name: path for path in (*outputs.values(), *(project_dir / path for path in model.files))}
        written = keep_version(
            workshop.store,
            workshop.prefix,
            ModelVersion(
                model=name,
                version=version,
                inputs=inputs,
                metrics=metrics,
                gates=model.gates,
                files=keep_files(workshop.store, workshop.prefix, name, version, files),
                commit=origin.commit,
                job_url=origin.job_url,
                trained_at=origin.at,
                seconds=round(seconds, 3),
                tool_version=__version__,
            ),
        )
        return _judged(written, model, live, trained=True)


def _judged(version: ModelVersion, model: Model, live: Mapping[str, float] | None, *, trained: bool) -> Outcome:
    """The outcome for a kept version: gates may have become stricter since it was trained."""
    reasons = tuple(failed_gates(model.gates, version.metrics, live))
    return Outcome(version.model, version.version, version.metrics, version.seconds, trained, reasons)


def _fetch_data(
    project_dir: Path, name: str, model: Model, workshop: Workshop, folder: Path
) -> tuple[dict[str, Path], dict[str, str]]:
    """The local file of each data port, and its digest."""
    paths, digests = {}, {}
    for port, source in sorted(model.data.items()):
        paths[port] = folder / port / _local_name(port, source)
        paths[port].parent.mkdir(parents=True)
        if is_uri(source):
            digests[port] = workshop.source.fetch(source, paths[port])
        else:
            paths[port] = Path(shutil.copy(data_file(project_dir, name, port, source), paths[port]))
            digests[port] = file_digest(paths[port])
        workshop.log(f"data {port}: {source} (sha256 {digests[port][:16]})")
    return paths, digests


def _local_name(port: str, source: str) -> str:
    """The last part of `source` where a file may be called so, else the port."""
    name = source.rpartition("/")[2]
    return name if name.isprintable() and len(name.encode()) < 200 and name not in ("", ".", "..") else port


def _run(
    model: Model, data: Mapping[str, Path], workspace: Path, log: Callable[[str], None]
) -> tuple[dict[str, Path], float]:
    """Runs the training job in the folder with the model's code; its output files and seconds."""
    job = Job(
        script=model.train.execution_script,
        time_limit=model.train.execution_time,
        inputs=tuple(sorted(data)),
        outputs=model.outputs,
        parameters=model.parameters,
    )
    outputs: dict[str, Path] = {}
    files = JobFiles(fetch=lambda port, _: data[port], keep=outputs.__setitem__)
    finished = run_job(job, workspace, files, log)
    return outputs, finished.seconds


def _require_unchanged(folder: Path, name: str, paths: Iterable[str], code: Mapping[str, str]) -> None:
    """WindlassError when a file is no longer the one whose digest is in the version's name."""
    for path in paths:
        if file_digest(folder / path) != code[path]:
            raise WindlassError(f"models/{name}.yml: {path!r} was changed while the model was trained; train again")
