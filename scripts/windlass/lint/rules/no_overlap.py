"""A schedule leaves a run the time that it may take; else runs pile up, up to the sixteen that Airflow allows at once.

The time is `run_time`, or the longest `execution_time` of a task where there is none. `max_active_runs` settles it: 1
lets the next run wait, more lets that many run side by side.
"""

from collections.abc import Iterator
from datetime import timedelta

from windlass.lint.cron import shortest_gap
from windlass.lint.project import Project
from windlass.lint.variants import variants, written
from windlass.spec.duration import duration_text
from windlass.spec.pipeline import Pipeline
from windlass.spec.problem import Problem
from windlass.spec.schedule import Every

NAME = "no-overlap"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each schedule that starts runs more often than one may take, without `max_active_runs`."""
    for file in project.pipelines:
        for environment, pipeline in variants(file):
            what, longest = _longest(pipeline)
            gap = _gap(pipeline) if longest and pipeline.dag.max_active_runs is None else None
            if gap is not None and gap < longest:
                message = (
                    f"runs start {duration_text(gap)} apart, but {what} may take {duration_text(longest)}: "
                    "they pile up; write max_active_runs: 1, or a shorter limit"
                )
                yield file.document.problem(written(file, environment, ("dag", "schedule")), NAME, message)


def _gap(pipeline: Pipeline) -> timedelta | None:
    schedule = pipeline.dag.schedule
    if isinstance(schedule, Every):
        return schedule.every or None
    return shortest_gap(schedule) if isinstance(schedule, str) else None


def _longest(pipeline: Pipeline) -> tuple[str, timedelta]:
    if pipeline.dag.run_time:
        return "one", pipeline.dag.run_time
    limits = {"a task": pipeline.dag.execution_time or timedelta()}
    for task_id, task in pipeline.task_ids.items():
        limit = task.job.execution_time if task.job else task.execution_time
        limits[f"task {task_id!r}"] = limit or timedelta()
    return max(limits.items(), key=lambda item: item[1])
