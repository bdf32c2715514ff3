"""Every environment declares the Airflow variable that a template names: `{{ var.value.NAME }}`.

This is checked where environments declare variables at all, under `variables:`; where none does, they are kept in
Airflow by other means, and the plan asks Airflow about them. `{{ var.value.get("NAME", "else") }}` needs none.
"""

from collections.abc import Iterator

from windlass.lint.declared import kept_here, texts, undeclared
from windlass.lint.project import Project, place
from windlass.spec.document import Location
from windlass.spec.needs import named_in
from windlass.spec.pipeline import Pipeline
from windlass.spec.problem import Problem

NAME = "known-variable"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each variable that an environment does not declare."""
    if kept_here(project, lambda environment: environment.variables):
        yield from undeclared(project, NAME, "variable", _asked, lambda environment: environment.variables)


def _asked(pipeline: Pipeline) -> Iterator[tuple[Location, str]]:
    for task_id, task in pipeline.task_ids.items():
        for location, text in texts(task, place(task_id)):
            yield from ((location, name) for kind, name in named_in(text) if kind == "variables")
