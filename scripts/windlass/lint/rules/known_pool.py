"""Every environment declares the pool that a pipeline or a task takes.

This is checked where environments declare pools at all, under `pools:`; where none does, the pools are kept in Airflow
by other means, and the plan asks Airflow about them. `default_pool` is always there.
"""

from collections.abc import Iterator

from windlass.lint.declared import kept_here, undeclared
from windlass.lint.project import Project, place
from windlass.spec.document import Location
from windlass.spec.environment import Environment
from windlass.spec.pipeline import Pipeline
from windlass.spec.problem import Problem

NAME = "known-pool"
_DEFAULT = "default_pool"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each pool that an environment does not declare."""
    if kept_here(project, lambda environment: environment.pools):
        yield from undeclared(project, NAME, "pool", _asked, _declares)


def _declares(environment: Environment) -> set[str]:
    return {*environment.pools, _DEFAULT}


def _asked(pipeline: Pipeline) -> Iterator[tuple[Location, str]]:
    yield ("dag", "pool"), pipeline.dag.pool or ""
    for task_id, task in pipeline.task_ids.items():
        yield (*place(task_id), "pool"), task.pool or ""
