"""A contract test in `tests/jobs/<pipeline>/<task>/<case>/` is about a job that exists, its ports and its parameters.

Each of the job's inputs is given, by a file in `inputs/` or in `case.yml`, and every file that is named is there.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from windlass.lint.project import PipelineFile, Project
from windlass.spec.case_file import EXPECTED, INPUTS, CaseFile, resolve_task
from windlass.spec.document import Location
from windlass.spec.files import why_outside
from windlass.spec.model import Model
from windlass.spec.names import check_relative_path
from windlass.spec.problem import Problem, near
from windlass.spec.task import MODEL_PREFIX, Task

NAME = "known-case"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each thing that a case names and that is not there, and for each input that it lacks."""
    pipelines = {file.name: file for file in project.pipelines if file.document.path.startswith("pipelines/")}
    models = {file.name: file.model for file in project.models if file.model}
    for case in project.cases:
        file = pipelines.get(case.pipeline)
        if file is None:
            message = f"there is no pipeline {case.pipeline!r}{near(case.pipeline, pipelines)}"
            yield case.problem((), NAME, message)
            continue
        found = _task(case, file)
        if isinstance(found, str):
            yield case.problem((), NAME, found)
        elif found is not None:
            yield from _inputs(project.folder, case, found, models)
            yield from _outputs(project.folder, case, found)
            yield from _values(case, found, file)


def _task(case: CaseFile, file: PipelineFile) -> Task | str | None:
    """The task that the case is about, or why there is none; None where its pipeline is not understood."""
    if file.pipeline is None:
        return None
    tasks = file.pipeline.task_ids
    ids = resolve_task(case.task, file.written_ids)
    if not ids:
        jobs = [task_id for task_id, task in tasks.items() if task.job]
        names = [*jobs, *(task_id.rpartition(".")[2] for task_id in jobs)]
        return f"pipeline {case.pipeline!r} has no task {case.task!r}{near(case.task, names)}"
    if len(ids) > 1:
        return f"{case.task!r} may be {' or '.join(ids)}; call the folder by the whole name"
    task = tasks.get(ids[0])
    if task is not None and task.job is None:
        return f"task {ids[0]!r} is no job, and only jobs have contract tests"
    return task


def _inputs(folder: Path, case: CaseFile, task: Task, models: Mapping[str, Model]) -> Iterator[Problem]:
    for port, paths in case.given.items():
        if port not in task.inputs:
            yield case.problem((), NAME, f"{paths[0]!r} is for no input of the task{near(port, task.inputs)}")
        elif len(paths) > 1:
            yield case.problem((), NAME, f"input {port!r} has two files: {paths[0]!r} and {paths[1]!r}; keep one")
    for port, written in case.case.inputs.items():
        location: Location = ("inputs", port)
        if port not in task.inputs:
            message = f"the task has no input {port!r}{near(port, task.inputs)}"
            yield case.problem(location, NAME, message, at_key=True)
        elif not written:
            continue  # the schema has said so
        elif isinstance(written, str):
            yield from _file(folder, case, location, written)
        else:
            yield from _training(folder, case, port, task.inputs[port], models)
    for port, source in task.inputs.items():
        if port in case.given or port in case.case.inputs:
            continue
        if source.startswith(MODEL_PREFIX):
            how = f"put a trained one into {INPUTS}/{port}/, or name the data that it is trained from in case.yml"
            yield case.problem((), NAME, f"input {port!r} is a model that the case lacks; {how}")
        else:
            yield case.problem(
                (), NAME, f"input {port!r} is missing; put its file into {INPUTS}/ as {port}.csv or the like"
            )


def _training(folder: Path, case: CaseFile, port: str, source: str, models: Mapping[str, Model]) -> Iterator[Problem]:
    """What is wrong with the data that a model is to be trained from."""
    model = models.get(source.removeprefix(MODEL_PREFIX)) if source.startswith(MODEL_PREFIX) else None
    if not source.startswith(MODEL_PREFIX):
        yield case.problem(("inputs", port), NAME, f"input {port!r} is no model; write the path of its file")
        return
    written = case.case.inputs[port]
    assert isinstance(written, dict)
    for name, path in written.items():
        yield from _file(folder, case, ("inputs", port, name), path)
        if model and name not in model.data:
            message = f"the model has no data {name!r}{near(name, model.data)}"
            yield case.problem(("inputs", port, name), NAME, message, at_key=True)
    missing = [name for name in (model.data if model else ()) if name not in written]
    if missing:
        message = f"the model is trained from {', '.join(map(repr, missing))} too; name a small file for it"
        yield case.problem(("inputs", port), NAME, message, at_key=True)


def _outputs(folder: Path, case: CaseFile, task: Task) -> Iterator[Problem]:
    for port, expected in case.case.expect.items():
        if port not in task.outputs:
            message = f"the task has no output {port!r}{near(port, task.outputs)}"
            yield case.problem(("expect", port), NAME, message, at_key=True)
        if expected.equal:
            yield from _file(folder, case, ("expect", port, "equal"), expected.equal)
    equal = {expected.equal for expected in case.case.expect.values()}
    names = list(task.filenames.values())
    for name in case.expected:
        if name not in names and f"{EXPECTED}/{name}" not in equal:
            yield case.problem((), NAME, f"'{EXPECTED}/{name}' is called like no output's file{near(name, names)}")
    if case.case.fails and case.expected:
        yield case.problem(("fails",), NAME, f"a job that does not end well passes nothing on; empty {EXPECTED}/")


def _values(case: CaseFile, task: Task, file: PipelineFile) -> Iterator[Problem]:
    assert file.pipeline is not None
    known = file.pipeline.dag.params
    for name in case.case.params:
        if name not in known:
            message = f"the pipeline has no parameter {name!r}{near(name, known)}"
            yield case.problem(("params", name), NAME, message, at_key=True)
    if task.for_each and case.case.item is None and f"{{{task.for_each.item}}}" not in task.inputs.values():
        yield case.problem((), NAME, f"the task runs for each {task.for_each.item}; give one as item in case.yml")
    if task.for_each is None and case.case.item is not None:
        yield case.problem(("item",), NAME, "item is for a task with for_each, and this one has none")


def _file(folder: Path, case: CaseFile, location: Location, path: str) -> Iterator[Problem]:
    if not path:
        return  # the schema has said so
    try:
        check_relative_path(path)
    except ValueError as error:
        yield case.problem(location, NAME, str(error))
        return
    if all(why_outside(folder, where) for where in (f"{case.path}/{path}", path)):
        message = f"there is no {path!r}, neither in the case's folder nor in the project"
        yield case.problem(location, NAME, message)
