"""Contract tests of jobs: a case becomes a run of its job, and the run a result."""

import tempfile
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from windlass.jobs.case_model import CaseModel, CaseModels
from windlass.jobs.expectation import Expectation, problems_of_failure, problems_of_output
from windlass.jobs.one_job import OneJob, run_one
from windlass.jobs.run_context import RunContext
from windlass.jobs.values import Value
from windlass.runtime.checked import Checked
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.item import with_item
from windlass.runtime.job import ScriptStop
from windlass.runtime.output_checks import check_path
from windlass.spec.case import ExpectedOutput
from windlass.spec.case_file import EXPECTED, CaseFile, resolve_task
from windlass.spec.model import Model
from windlass.spec.pipeline import Pipeline
from windlass.spec.task import MODEL_PREFIX, Task, is_reference

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


@dataclass
class _Run:
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


def run_case(contract: Contract, bench: Bench) -> Result:
    """Runs the job of a case in a folder of its own, as `windlass run` does, and compares what it wrote."""
    if contract.broken:
        return Result(contract, 0.0, contract.broken)
    with tempfile.TemporaryDirectory(prefix="windlass-test-", ignore_cleanup_errors=True) as folder:
        run = _perform(contract, bench, Path(folder))
        problems, accepted = _judge(contract, bench, run, Path(folder))
    return Result(contract, run.seconds, tuple(problems), tuple(run.lines), tuple(accepted))


def _perform(contract: Contract, bench: Bench, folder: Path) -> _Run:
    run, begin = _Run(), monotonic()
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
        finished = run_one(_job(contract, values, outputs), run.lines.append, bench.stop)
        run.exit_code = finished.code
        run.written = {port: outputs / name for port, name in contract.task.filenames.items()}
    except ScriptStop as stop:
        run.exit_code, run.reason = stop.finished.code, str(stop)
    except RuntimeStop as stop:
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
            found[port] = path if path.is_file() else sorted(each for each in path.iterdir() if each.is_file())
    return found


def place(project: Path, file: CaseFile, path: str) -> Path:
    """Where a path of a case leads: into its own folder if it is there, else into the project."""
    own = project / file.path / path
    return own if own.exists() else project / path


def expectations(contract: Contract, project: Path) -> dict[str, Expectation]:
    """What is expected of each output of the job."""
    found = {}
    for port, name in contract.task.filenames.items():
        output = contract.file.case.expect.get(port, ExpectedOutput())
        path = output.equal or (f"{EXPECTED}/{name}" if name in contract.file.expected else None)
        found[port] = Expectation(output, place(project, contract.file, path) if path else None)
    return found


def _judge(contract: Contract, bench: Bench, run: _Run, scratch: Path) -> tuple[list[str], list[str]]:
    """What is not as expected, and which files were accepted as what is expected from now on."""
    fails = contract.file.case.fails
    if fails is not None:
        if run.reason is None:
            return ["the job was expected not to end well, and it did"], []
        return problems_of_failure(fails, run.exit_code, run.reason, tuple(run.lines)), []
    if run.reason is not None:
        return [run.reason], []
    declared = [_declared(contract, port, path, scratch) for port, path in run.written.items()]
    problems = [reason for reason in declared if reason]
    accepted = _accept(contract, bench, run) if bench.accept and not problems else []
    for port, expected in expectations(contract, bench.project).items():
        is_new = contract.task.filenames[port] in accepted
        problems += problems_of_output(port, run.written[port], Expectation(expected.output) if is_new else expected)
    return problems, accepted


def _declared(contract: Contract, port: str, path: Path, scratch: Path) -> str | None:
    """What the pipeline itself says about the output and is not so."""
    checks = contract.task.checks.get(port)
    try:
        if checks:
            check_path(port, Checked(path.name, **checks), path, scratch)
    except RuntimeStop as stop:
        return str(stop)
    return None


def _accept(contract: Contract, bench: Bench, run: _Run) -> list[str]:
    """Writes the outputs as what is expected, unless `case.yml` checks them without a file; the names of these."""
    accepted = []
    for port, expected in expectations(contract, bench.project).items():
        name = contract.task.filenames[port]
        if expected.file is None and port in contract.file.case.expect:
            continue
        target = expected.file or bench.project / contract.file.path / EXPECTED / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(run.written[port].read_bytes())
        accepted.append(name)
    return accepted
