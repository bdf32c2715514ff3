"""A critical pipeline says who owns it: `owner` in `dag`, which is who is asked when it does not run."""

from collections.abc import Iterator

from windlass.lint.project import Project
from windlass.spec.dag import Dag
from windlass.spec.problem import Problem

NAME = "known-owner"
_NOBODY = ("", Dag.model_fields["owner"].default)


def check(project: Project) -> Iterator[Problem]:
    """A problem for each critical pipeline whose owner is Airflow's default."""
    for file in project.pipelines:
        if file.pipeline and file.pipeline.dag.critical and file.pipeline.dag.owner in _NOBODY:
            message = "a critical pipeline needs an owner; write 'owner:' with a person or a team"
            yield file.document.problem(("dag", "critical"), NAME, message)
