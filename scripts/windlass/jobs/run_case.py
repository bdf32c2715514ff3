"""Runs the job of a contract test."""

import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from windlass.jobs.case_model import CaseModel
from windlass.jobs.contract import Bench, CaseRun, Contract, Result, place
from windlass.jobs.judge_case import judge
from windlass.jobs.one_job import OneJob, run_one
from windlass.jobs.params import check_param
from windlass.jobs.run_context import RunContext
from windlass.jobs.values import Value
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.item import with_item
from windlass.runtime.job import ScriptStop
from windlass.spec.pipeline import Pipeline
from windlass.spec.task import MODEL_PREFIX, is_reference


def run_case(contract: Contract, bench: Bench) -> Result:
    """Runs the job of a case in a folder of its own, as `windlass run` does, and compares what it wrote."""
    if contract.broken:
        return Result(contract, 0.0, contract.broken)
    with tempfile.TemporaryDirectory(prefix="windlass-test-", ignore_cleanup_errors=True) as folder:
        run = _perform(contract, bench, Path(folder))
        try:
            problems, accepted = judge(contract, bench, run, Path(folder))
        except (RuntimeStop, OSError) as stop:  # what is expected cannot be read, or accepted files not be written
            problems, accepted = [str(stop)], []
    return Result(contract, run.seconds, tuple(problems), tuple(run.lines), tuple(accepted))


def _perform(contract: Contract, bench: Bench, folder: Path) -> CaseRun:
    run, begin = CaseRun(), monotonic()
    outputs = folder / "outputs"
    try:
        inputs = inputs_of(contract, bench)
        values = {
            port: bench.folders.fill(value, folder / "models" / port, run.lines.append)
            if isinstance(value, CaseModel)
            else value
            for port, value in inputs.items()
        }
        outputs.mkdir()
        begin = monotonic()
        one = _job(contract, values, outputs)
        assert contract.pipeline is not None
        limits = bench.limits_of(contract.pipeline, one.job)
        finished = run_one(one, run.lines.append, bench.stop, limits=limits)
        run.exit_code = finished.code
        run.written = {port: outputs / name for port, name in contract.task.filenames.items()}
    except ScriptStop as stop:
        run.exit_code, run.reason = stop.finished.code, str(stop)
    except (RuntimeStop, ValueError, OSError) as stop:
        run.reason = str(stop)
    run.seconds = monotonic() - begin
    return run


def _job(contract: Contract, values: Mapping[str, Value], folder: Path) -> OneJob:
    case, task = contract.file.case, contract.task
    assert contract.pipeline is not None and task.job is not None
    context = RunContext(contract.pipeline.dag.name, _moment(contract), folder, _params(contract))
    item = task.for_each.item if task.for_each and case.item is not None else None
    parameters = {item: with_item(f"{{{item}}}", item, case.item)} if item else {}
    names = {port: name for port, source in task.inputs.items() if (name := _filename(contract.pipeline, source))}
    return OneJob(task.job, contract.task_id, values, task.filenames, folder, context, parameters, names)


def _filename(pipeline: Pipeline, source: str) -> str | None:
    """The name that the file of an input has in Airflow."""
    task_id, _, port = source.rpartition(".")
    made_by = pipeline.task_ids.get(task_id) if is_reference(source) else None
    return made_by.filenames.get(port) if made_by else None


def _moment(contract: Contract) -> datetime:
    """The case's date, else the first day of the pipeline's schedule: the same each time."""
    assert contract.pipeline is not None
    day = contract.file.case.date or contract.pipeline.dag.start_date
    whole = day if isinstance(day, datetime) else datetime(day.year, day.month, day.day, tzinfo=UTC)
    return whole if whole.tzinfo else whole.replace(tzinfo=UTC)


def _params(contract: Contract) -> dict[str, Any]:
    assert contract.pipeline is not None
    known, given = contract.pipeline.dag.params, contract.file.case.params
    if missing := [name for name, one in known.items() if not one.has_default and name not in given]:
        raise RuntimeStop(f"parameter {missing[0]!r} has no default; give it a value in params of case.yml")
    for name, value in given.items():
        try:
            check_param(known[name], value)
        except ValueError as error:
            raise RuntimeStop(f"params of case.yml: {name}: {error}") from error
    return {name: given.get(name, one.default) for name, one in known.items()}


def inputs_of(contract: Contract, bench: Bench) -> dict[str, Value | CaseModel]:
    """Where each input of the job comes from."""
    found: dict[str, Value | CaseModel] = {}
    for port, source in contract.task.inputs.items():
        written = contract.file.case.inputs.get(port) or contract.file.given[port][0]
        data = written if isinstance(written, dict) else {"": written}
        paths = {name: place(bench.project, contract.file, path) for name, path in data.items()}
        if source.startswith(MODEL_PREFIX):
            name = source.removeprefix(MODEL_PREFIX)
            if name not in bench.models:
                raise RuntimeStop(f"models/{name}.yml cannot be read; `windlass lint` says why")
            found[port] = CaseModel(name, bench.models[name], paths if isinstance(written, dict) else paths[""])
        else:
            path = paths[""]
            if not path.is_file() and not path.is_dir():
                raise RuntimeStop(f"input {port!r}: {path} is neither a file nor a folder")
            found[port] = path if path.is_file() else sorted(each for each in path.iterdir() if each.is_file())
    return found
