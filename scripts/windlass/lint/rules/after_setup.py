"""What comes right after a setup starts when all before it has succeeded; Airflow loads no other `trigger_rule` there.

Teardowns are the exception: they run whenever their setups have.
"""

from collections.abc import Iterator

from windlass.lint.project import Project, place
from windlass.lint.variants import variants, written
from windlass.spec.pipeline import Pipeline
from windlass.spec.problem import Problem

NAME = "after-setup"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each task with a `trigger_rule` of its own that follows a setup."""
    for file in project.pipelines:
        for environment, pipeline in variants(file):
            for task_id, setup in _followers(pipeline):
                rule = pipeline.task_ids[task_id].trigger_rule
                location = written(file, environment, (*place(task_id), "trigger_rule"))
                message = (
                    f"{rule!r} comes after the setup {setup!r}, where Airflow allows only 'all_success'; "
                    "leave trigger_rule out, or put a task between them"
                )
                yield file.document.problem(location, NAME, message)


def _followers(pipeline: Pipeline) -> Iterator[tuple[str, str]]:
    """Each such task, and the first setup that it follows."""
    tasks = pipeline.task_ids
    setups = [task_id for task_id, task in tasks.items() if task.setup]
    setups += [setup for task in tasks.values() for setup in task.teardown or []]
    if not setups:
        return
    for task_id, above in pipeline.upstream().items():
        task, first = tasks[task_id], next((setup for setup in setups if setup in above), None)
        if first and task.teardown is None and task.trigger_rule not in (None, "all_success"):
            yield task_id, first
