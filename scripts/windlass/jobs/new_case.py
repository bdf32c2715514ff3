"""Makes a contract test of a job from files that somebody has: what an engineer asks a data scientist for."""

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from windlass.jobs.names import find_pipeline, find_task
from windlass.spec.case import FILE, FOLDER
from windlass.spec.case_file import INPUTS
from windlass.spec.errors import WindlassError
from windlass.spec.names import check_word
from windlass.spec.pipeline import Pipeline
from windlass.spec.problem import near
from windlass.spec.task import MODEL_PREFIX, Task


def new_case(project: Path, written: str, name: str, inputs: Sequence[str], pipelines: dict[str, Pipeline]) -> str:
    """The path of the new case in the project; `inputs` are `port=path`, or `model.data=path` for a model's data.

    `written` is a task, or a task behind its pipeline: `read_digits/transform.score`.
    """
    pipeline, task_id = _find(written, pipelines)
    try:
        check_word(name)
    except ValueError as error:
        raise WindlassError(f"--case: {error}") from error
    task = pipeline.task_ids[task_id]
    if task.job is None:
        raise WindlassError(f"task {task_id!r} is no job, and only jobs have contract tests")
    files = _files(task, inputs)
    _require_all(task, files)
    path = f"{FOLDER}/{pipeline.dag.name}/{task_id}/{name}"
    folder = project / path
    if folder.exists():
        raise WindlassError(f"{path} is there already; give the case another name")
    folder.mkdir(parents=True)
    models: dict[str, dict[str, str]] = {}
    for (port, key), source in files.items():
        shared = _shared(project, source) if key else None
        copied = shared or _copy(source, folder, port, key)
        if key:
            models.setdefault(port, {})[key] = copied
    lines = ["inputs:"] if models else []
    for port, given in models.items():
        lines += [f"  {port}:", *(f"    {key}: {_quoted(where)}" for key, where in given.items())]
    if lines:
        (folder / FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _find(written: str, pipelines: dict[str, Pipeline]) -> tuple[Pipeline, str]:
    before, slash, task = written.rpartition("/")
    if slash:
        pipeline = find_pipeline(before, pipelines)
        return pipeline, find_task(task, pipeline)
    having = [one for one in pipelines.values() if _has(one, task)]
    if len(having) == 1:
        return having[0], find_task(task, having[0])
    if having:
        names = ", ".join(f"{one.dag.name}/{task}" for one in having)
        raise WindlassError(f"several pipelines have a task {task!r}; write one of {names}")
    known = [task_id for one in pipelines.values() for task_id, each in one.task_ids.items() if each.job]
    last = [task_id.rpartition(".")[2] for task_id in known]
    raise WindlassError(f"no pipeline has a task {task!r}{near(task, [*known, *last])}")


def _has(pipeline: Pipeline, task: str) -> bool:
    return any(task_id == task or task_id.endswith(f".{task}") for task_id in pipeline.task_ids)


def _files(task: Task, inputs: Sequence[str]) -> dict[tuple[str, str], Path]:
    """The files by port and, for a model's data, by the name of the data."""
    found: dict[tuple[str, str], Path] = {}
    for each in inputs:
        target, equals, path = each.partition("=")
        port, _, key = target.partition(".")
        if not equals:
            raise WindlassError(f"--input {each!r} is not of the form port=path")
        if port not in task.inputs:
            raise WindlassError(f"--input {each!r}: the task has no input {port!r}{near(port, task.inputs)}")
        if key and not task.inputs[port].startswith(MODEL_PREFIX):
            raise WindlassError(f"--input {each!r}: input {port!r} is no model, so it takes no data; write {port}=path")
        if not Path(path).exists():
            raise WindlassError(f"--input {each!r}: there is no such file or folder")
        found[port, key] = Path(path)
    return found


def _require_all(task: Task, files: dict[tuple[str, str], Path]) -> None:
    missing = [port for port in task.inputs if port not in {port for port, _ in files}]
    if missing:
        lines = [
            f"--input {port}=FOLDER, or --input {port}.DATA=FILE for each of the data that it is trained from"
            if task.inputs[port].startswith(MODEL_PREFIX)
            else f"--input {port}=FILE"
            for port in missing
        ]
        raise WindlassError(f"inputs are missing; add {'; '.join(lines)}")


def _shared(project: Path, source: Path) -> str | None:
    """The path in the project of a file in `tests/`, which several cases may share."""
    found = source.resolve()
    inside = found.relative_to(project.resolve()) if found.is_relative_to(project.resolve()) else None
    return inside.as_posix() if inside and inside.parts[0] == "tests" else None


def _quoted(path: str) -> str:
    return path if re.fullmatch(r"[A-Za-z][A-Za-z0-9_./-]*", path) else json.dumps(path)


def _copy(source: Path, folder: Path, port: str, key: str) -> str:
    """Where in the case's folder the file is now."""
    suffix = source.name[source.name.index(".", 1) :] if "." in source.name[1:] else ""
    target = f"data/{port}_{key}{suffix}" if key else f"{INPUTS}/{port}{'' if source.is_dir() else suffix}"
    (folder / target).parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, folder / target)
    else:
        shutil.copyfile(source, folder / target)
    return target
