"""The keys of a task are arguments of its operator; none that it needs is missing and each has the right type."""

from collections.abc import Iterator
from dataclasses import replace

from windlass.catalog.annotation import fits, shown
from windlass.catalog.operator import Operator
from windlass.lint.project import PipelineFile, Project
from windlass.lint.secrets import is_secret
from windlass.lint.variants import variants, written
from windlass.spec.document import Document, Location
from windlass.spec.file_value import is_file
from windlass.spec.items import holds_item
from windlass.spec.problem import Problem, near
from windlass.spec.schema import boolean_edit, key_edit
from windlass.spec.task import KINDS, Task

NAME = "known-argument"

_LANGUAGE = tuple(key for key in Task.model_fields if key not in KINDS)


def check(project: Project) -> Iterator[Problem]:
    """A problem for each argument that is unknown, missing or of another type; a job takes none."""
    for file, task_id, location, task in project.tasks():
        operator = project.catalog.operators.get(task.operator_type or "")
        if kind := next((kind for kind in ("job", "approval", "branch") if getattr(task, kind) is not None), None):
            who = f"an {kind}" if kind == "approval" else f"a {kind}"
            yield from _unknown(file.document, location, task, who, (kind,))
        elif operator is not None:
            who = f"operator {operator.name!r}"
            yield from _unknown(file.document, location, task, who, ("operator_type", *operator.arguments))
            yield from _missing(file.document, location, task, operator)
            for environment, pipeline in variants(file):
                yield from _of_other_type(file, environment, location, pipeline.task_ids[task_id], operator)


def _unknown(document: Document, location: Location, task: Task, who: str, known: tuple[str, ...]) -> Iterator[Problem]:
    for name in task.arguments:
        if name not in known:
            message = f"{who} has no argument {name!r}{near(name, (*known, *_LANGUAGE))}"
            problem = document.problem((*location, name), NAME, message, at_key=True)
            yield replace(problem, edit=key_edit(document, (*location, name), (*known, *_LANGUAGE)))


def _missing(document: Document, location: Location, task: Task, operator: Operator) -> Iterator[Problem]:
    for name, argument in operator.arguments.items():
        if argument.required and name not in task.arguments:
            message = f"operator {operator.name!r} needs the argument {name!r}"
            yield document.problem(location, NAME, message, at_key=True)


def _of_other_type(
    file: PipelineFile, environment: str | None, location: Location, task: Task, operator: Operator
) -> Iterator[Problem]:
    for name, value in task.arguments.items():
        argument = operator.arguments.get(name)
        if task.for_each and holds_item(value, task.for_each.item):
            continue  # it depends on the item, which may be anything
        if argument is not None and not fits("" if is_file(value) else value, argument.annotation):
            message = (
                f"argument {name!r} of operator {operator.name!r} must be {argument.annotation}, "
                f"not {'what is there' if is_secret(name, str(value)) else shown(value)}"
            )
            problem = file.document.problem(written(file, environment, (*location, name)), NAME, message)
            yield replace(problem, edit=boolean_edit(value)) if argument.annotation == "bool" else problem
