"""One run of a command line that reads files and writes files; where they come from is not its concern."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from .errors import RuntimeStop
from .process import Finished, run_script
from .script import Script


@dataclass(frozen=True)
class Job:
    """What to run: `{name}` in `script` is the local path of an input or output, or the value of a parameter."""

    script: str
    time_limit: timedelta
    inputs: tuple[str, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class JobFiles:
    """The two ends of a job: `fetch` puts a port's input below a folder and says where, `keep` takes an output."""

    fetch: Callable[[str, Path], Path]
    keep: Callable[[str, Path], None]


def _unchanged(script: Script) -> str:
    return script.text


def run_job(
    job: Job,
    folder: Path,
    files: JobFiles,
    log: Callable[[str], None],
    render: Callable[[Script], str] = _unchanged,
) -> Finished:
    """Stages the inputs below `folder`, runs the script in `folder`/work, checks the outputs and keeps them.

    `render` may lay a template engine over the script before its values are put in. RuntimeStop tells why the script
    did not end well, or which output it did not write; then nothing is kept.
    """
    work = folder / "work"
    work.mkdir(parents=True, exist_ok=True)
    staged = {port: files.fetch(port, folder / "inputs" / port) for port in job.inputs}
    written = {port: folder / "outputs" / port / name for port, name in job.outputs.items()}
    for path in written.values():
        path.parent.mkdir(parents=True)
    script = Script(job.script, {**job.parameters, **staged, **written})
    finished = run_script(script.filled(render(script)), work, job.time_limit, log)
    if finished.reason:
        last = f"; its last line: {finished.tail[-1][:300]!r}" if finished.tail else "; it printed nothing"
        raise RuntimeStop(f"the script {finished.reason} after {finished.seconds:.1f} seconds{last}")
    for port, path in written.items():
        _check_output(port, path)
    for port, path in written.items():
        files.keep(port, path)
    return finished


def _check_output(port: str, path: Path) -> None:
    what = f"output {port!r} ({path.name})"
    if not path.exists():
        raise RuntimeStop(f"the script ended well but {what} was not written; it must write to {{{port}}}")
    if not path.is_file():
        raise RuntimeStop(f"the script left {what} as something else than a file; it must write one to {{{port}}}")
    if path.stat().st_size == 0:
        raise RuntimeStop(f"the script left {what} empty; write at least a header, or end with an exit code")
