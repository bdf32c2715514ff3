"""What a task leaves is taken by another task; what nobody takes is carried to S3 and thrown away.

Only outputs that a task need not leave are looked at: those of jobs, and of operators that take any.
"""

from collections.abc import Iterator

from windlass.catalog.operator import ANY
from windlass.lint.project import PipelineFile, Project
from windlass.spec.problem import Problem
from windlass.spec.task import Task

NAME = "unused-output"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each output that no task of the pipeline takes and that could be left out."""
    for file in project.pipelines:
        taken = _taken(file)
        for task_id, location, task in file.tasks() if taken is not None else ():
            for port in task.outputs if _is_free(project, task) else ():
                if f"{task_id}.{port}" not in (taken or ()):
                    message = f"no task takes {port!r}; deliver it, or do not leave it"
                    yield file.document.problem((*location, "outputs", port), NAME, message, at_key=True)


def _is_free(project: Project, task: Task) -> bool:
    operator = project.catalog.operators.get(task.operator_type or "")
    if operator is None:
        return task.job is not None
    return ANY in operator.outputs and "outputs" not in operator.needs


def _taken(file: PipelineFile) -> set[str] | None:
    """The outputs that tasks take; None while one of them takes something that is not there: it may mean any."""
    ids = file.pipeline.task_ids if file.pipeline and not file.document.problems else {}
    taken = {reference for task in ids.values() for reference in task.references}
    left = {f"{task_id}.{port}" for task_id, task in ids.items() for port in task.outputs}
    return taken if ids and taken <= left else None
