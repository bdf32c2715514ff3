"""A file has the extension that the operator's port asks for, where it is made and where it is taken or split."""

from collections.abc import Iterator

from windlass.catalog.operator import extension
from windlass.lint.project import Project
from windlass.spec.port import ROW_ENDINGS
from windlass.spec.problem import Problem

NAME = "port-type"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each output file, and each file taken from another task, of an extension that the port refuses."""
    yield from _cut(project)
    for file, _, location, task in project.tasks():
        operator = project.catalog.operators.get(task.operator_type or "")
        if operator is None or file.pipeline is None:
            continue
        for port, filename in task.filenames.items():
            wanted = extension(operator.outputs, port) or ""
            if filename and not filename.endswith(wanted):
                message = f"output {port!r} of operator {operator.name!r} is a {wanted} file, not {filename!r}"
                yield file.document.problem((*location, "outputs", port), NAME, message)
        tasks = file.pipeline.task_ids
        for port, reference in task.inputs.items():
            wanted = extension(operator.inputs, port) or ""
            task_id, _, output = reference.rpartition(".")
            taken = tasks[task_id].filenames.get(output) if task_id in tasks else None
            if taken and not taken.endswith(wanted):
                message = (
                    f"input {port!r} of operator {operator.name!r} takes a {wanted} file; {reference} is {taken!r}"
                )
                yield file.document.problem((*location, "inputs", port), NAME, message)


def _cut(project: Project) -> Iterator[Problem]:
    """A problem for each `split` of a file that cannot be cut."""
    for file, _, location, task in project.tasks():
        if task.split is None or file.pipeline is None:
            continue
        reference = task.inputs.get(task.split.input, "")
        task_id, _, output = reference.rpartition(".")
        maker = file.pipeline.task_ids.get(task_id)
        taken = maker.filenames.get(output) if maker else None
        if taken and not taken.endswith(ROW_ENDINGS):
            message = f"split cuts {', '.join(ROW_ENDINGS)} files; {reference} is {taken!r}"
            yield file.document.problem((*location, "split", "input"), NAME, message)
