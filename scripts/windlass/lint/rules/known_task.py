"""`needs` and `inputs` name tasks (`group.task`) or groups of this pipeline."""

from collections.abc import Iterator

from windlass.lint.project import Project
from windlass.spec.pipeline import MODEL_PREFIX
from windlass.spec.problem import Problem, near

NAME = "known-task"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each name in `needs`, and each task in `inputs`, that the pipeline does not have."""
    for file in project.pipelines:
        ids, groups = file.written_ids, file.written_tasks
        for _, location, task in file.tasks():
            for i, need in enumerate(task.needs or []):
                if need and need not in ids and need not in groups:
                    message = f"there is no task or group {need!r}{near(need, [*ids, *groups])}"
                    yield file.document.problem((*location, "needs", i), NAME, message)
            for port, reference in task.inputs.items():
                task_id = reference.rpartition(".")[0]
                if reference.startswith(MODEL_PREFIX) or task_id.count(".") != 1:
                    continue
                if task_id not in ids:
                    message = f"there is no task {task_id!r}{near(task_id, ids)}"
                    yield file.document.problem((*location, "inputs", port), NAME, message)
