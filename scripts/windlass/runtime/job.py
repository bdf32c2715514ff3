"""One run of a command line that reads files and writes files; where they come from is not its concern."""

import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path, PurePath, PurePosixPath
from typing import TypeVar

from .errors import RuntimeStop
from .output_checks import check_path
from .process import Finished, Limits, run_script
from .script import Script

AT_ONCE = 4
Result = TypeVar("Result")


@dataclass(frozen=True)
class Job:
    """What to run: `{name}` in `script` is the local path of an input or output, or the value of a parameter.

    `variables` are what its environment says of the run that it belongs to.
    """

    script: str
    time_limit: timedelta
    inputs: tuple[str, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class JobFiles:
    """The two ends of a job: `fetch` puts a port's input below a folder and says where, `keep` takes an output.

    Where a job has several inputs or outputs, both are called for some of them at once, each in a thread.
    """

    fetch: Callable[[str, Path], Path]
    keep: Callable[[str, Path], None]


@dataclass(frozen=True)
class Place:
    """Where a script runs if not here: what the job's folder is called there, and who runs it, as `run_script` does."""

    root: PurePosixPath
    run: Callable[[str, Path, timedelta, Callable[[str], None], Mapping[str, str], Limits, int | None], Finished]


class ScriptStop(RuntimeStop):
    """A script did not end well; `finished` tells how."""

    def __init__(self, finished: Finished) -> None:
        last = f"; its last line: {finished.tail[-1][:300]!r}" if finished.tail else "; it printed nothing"
        super().__init__(f"the script {finished.reason} after {finished.seconds:.1f} seconds{last}")
        self.finished = finished


def _unchanged(script: Script) -> str:
    return script.text


def run_job(
    job: Job,
    folder: Path,
    files: JobFiles,
    log: Callable[[str], None],
    render: Callable[[Script], str] = _unchanged,
    stop: int | None = None,
    place: Place | None = None,
) -> Finished:
    """Stages the inputs below `folder`, runs the script in `folder`/work, checks the outputs and keeps them.

    What the script may count on is in docs/jobs.md, and is the same wherever a job runs.
    `render` may lay a template engine over the script before its values are put in. RuntimeStop tells why the script
    did not end well, or which output it did not write; then nothing is kept. When the file descriptor `stop` can be
    read, the script is ended.
    """
    work, scratch = folder / "work", folder / "tmp"
    for made in (work, scratch):
        made.mkdir(parents=True, exist_ok=True)
    paths = _at_once(lambda port: files.fetch(port, folder / "inputs" / port), job.inputs)
    staged = dict(zip(job.inputs, paths, strict=True))
    written = {port: folder / "outputs" / port / name for port, name in job.outputs.items()}
    for path in written.values():
        path.parent.mkdir(parents=True)
    there = {name: _within(path, folder, place) for name, path in {**staged, **written, "": scratch}.items()}
    variables = {**job.variables, "TMPDIR": str(there.pop(""))}
    script = Script(job.script, {**job.parameters, **there})
    run = place.run if place else _run_here
    finished = run(script.filled(render(script)), work, job.time_limit, log, variables, job.limits, stop)
    if finished.reason:
        raise ScriptStop(finished)
    for port, path in written.items():
        _check_output(port, path, folder)
    for path in written.values():
        _make_own(path)
    for port, name in job.outputs.items():
        rows = check_path(port, name, written[port], folder)
        if rows is not None:
            log(f"output {port}: {rows} rows are as they must be")
    _at_once(lambda port: files.keep(port, written[port]), written)
    return finished


def _within(path: Path, folder: Path, place: Place | None) -> PurePath:
    """What a path below the job's folder is called where its script runs."""
    return place.root / path.relative_to(folder) if place else path


def _run_here(
    script: str,
    work: Path,
    time_limit: timedelta,
    log: Callable[[str], None],
    variables: Mapping[str, str],
    limits: Limits,
    stop: int | None,
) -> Finished:
    return run_script(script, work, time_limit, log, variables, limits=limits, stop=stop)


def _at_once(act: Callable[[str], Result], ports: Iterable[str]) -> list[Result]:
    """What `act` gives for each port, in their order; of several errors the first port's is raised."""
    names = list(ports)
    if len(names) < 2:
        return [act(name) for name in names]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        begun = [pool.submit(act, name) for name in names]
        try:
            return [each.result() for each in begun]
        finally:
            for each in begun:
                each.cancel()


def _check_output(port: str, path: Path, folder: Path) -> None:
    if not path.exists() and not path.is_symlink():
        raise RuntimeStop(output_trouble("missing", port, path.name))
    if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):  # a link may lead to others' files
        raise RuntimeStop(output_trouble("odd", port, path.name))
    if path.stat().st_size == 0:
        raise RuntimeStop(output_trouble("empty", port, path.name))


def _make_own(path: Path) -> None:
    """A copy instead of a link: two outputs may be one file, and so may an output and a file of somebody else."""
    if path.is_symlink() or path.stat().st_nlink > 1:
        with tempfile.TemporaryDirectory(dir=path.parent) as aside:
            copy = Path(aside, path.name)
            shutil.copy(path, copy)
            copy.replace(path)


def output_trouble(what: str, port: str, name: str) -> str:
    """What is wrong with the file `name` of output `port`, which is missing, odd (no file) or empty."""
    output = f"output {port!r} ({name})"
    if what == "missing":
        return f"the script ended well but {output} was not written; it must write to {{{port}}}"
    if what == "odd":
        return f"the script left {output} as something else than a file; it must write one to {{{port}}}"
    return f"the script left {output} empty; write at least a header, or end with an exit code"
