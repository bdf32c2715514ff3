"""`needs`, `inputs`, `teardown` and the cases of a branch name tasks (`group.task`) or groups of this pipeline."""

from collections.abc import Collection, Iterator

from windlass.lint.project import PipelineFile, Project
from windlass.spec.document import Location
from windlass.spec.problem import Problem, near
from windlass.spec.task import Task, is_reference

NAME = "known-task"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each task or group that is named somewhere and that the pipeline does not have."""
    for file in project.pipelines:
        ids, names = file.written_ids, [*file.written_ids, *file.written_groups]
        for _, location, group in file.groups():
            for i, need in enumerate(group.needs or []):
                yield from _known(file, need, names, (*location, "needs", i), "task or group")
        for _, location, task in file.tasks():
            for i, need in enumerate(task.needs or []):
                yield from _known(file, need, names, (*location, "needs", i), "task or group")
            for i, setup in enumerate(task.teardown or []):
                yield from _known(file, setup, ids, (*location, "teardown", i), "task")
            for place, target in _targets(task):
                yield from _known(file, target, names, (*location, "branch", *place), "task or group")
            for place, reference in ports(task):
                if is_reference(reference):
                    yield from _known(file, reference.rpartition(".")[0], ids, (*location, *place), "task")


def ports(task: Task) -> Iterator[tuple[Location, str]]:
    """Every place of a task where a port of another task may be written, and what is there."""
    for port, reference in task.inputs.items():
        yield ("inputs", port), reference
    for key in ("only_if", "skip_if"):
        if condition := getattr(task, key):
            yield (key,), condition
    if task.branch:
        yield ("branch", "by"), task.branch.by
    if task.for_each and isinstance(task.for_each.items, str):
        yield ("for_each", "in"), task.for_each.items


def _targets(task: Task) -> Iterator[tuple[Location, str]]:
    if task.branch:
        for case, targets in task.branch.cases.items():
            for target in targets or []:
                yield ("cases", case), target
        for target in task.branch.default or []:
            yield ("default",), target


def _known(file: PipelineFile, name: str, known: Collection[str], location: Location, what: str) -> Iterator[Problem]:
    if name and name not in known:
        yield file.document.problem(location, NAME, f"there is no {what} {name!r}{near(name, known)}")
