"""`operator_type` names an operator of windlass's standard library or of the project's own `operators/`."""

from collections.abc import Iterator

from windlass.lint.project import Project
from windlass.spec.problem import Problem, near

NAME = "known-operator"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each operator that does not exist; files that cannot be read are the catalogue's problems."""
    for file, _, location, task in project.tasks():
        name = task.operator_type
        if not name or name in project.catalog.names:
            continue
        message = f"there is no operator {name!r}{near(name, project.catalog.names)}"
        if name == "job":
            message = "a job is not an operator; write 'job:' with its docker_image and execution_script"
        yield file.document.problem((*location, "operator_type"), NAME, message)
