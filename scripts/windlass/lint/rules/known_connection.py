"""Every environment declares the connection that a task names: `connection`, `..._conn_id`, or `{{ conn.NAME }}`.

This is checked where environments declare connections at all, under `connections:`; where none does, they are kept in
Airflow by other means, and the plan asks Airflow about them.
"""

from collections.abc import Iterator

from windlass.lint.declared import kept_here, texts, undeclared
from windlass.lint.project import Project, place
from windlass.spec.document import Location
from windlass.spec.needs import named_in
from windlass.spec.pipeline import Pipeline
from windlass.spec.problem import Problem

NAME = "known-connection"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each connection that an environment does not declare."""
    if kept_here(project, lambda environment: environment.connections):
        yield from undeclared(project, NAME, "connection", _asked, lambda environment: environment.connections)


def _asked(pipeline: Pipeline) -> Iterator[tuple[Location, str]]:
    for task_id, task in pipeline.task_ids.items():
        for key, value in task.arguments.items():
            if (key == "connection" or key.endswith("conn_id")) and isinstance(value, str) and "{" not in value:
                yield (*place(task_id), key), value
        for location, text in texts(task, place(task_id)):
            yield from ((location, name) for kind, name in named_in(text) if kind == "connections")
