"""`operator_type` names an operator of windlass's standard library or of the project's own `operators/`.

Or it is the import path of a class that Airflow or one of its providers brings, which lint does not look into.
"""

from collections.abc import Iterator

from windlass.catalog.operator import class_name
from windlass.catalog.read import RESERVED
from windlass.lint.project import PipelineFile, Project
from windlass.spec.problem import Problem, near
from windlass.spec.task import is_foreign

NAME = "known-operator"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each operator that does not exist; files that cannot be read are the catalogue's problems."""
    for file, _, location, task in project.tasks():
        name = task.operator_type
        if name and is_foreign(name):
            for message in _not_distinct(file, name):
                yield file.document.problem((*location, "operator_type"), NAME, message)
        if not name or name in project.catalog.names or is_foreign(name):
            continue  # what a provider brings is known when Airflow reads the DAG
        message = f"there is no operator {name!r}{near(name, project.catalog.names)}"
        if name in ("branch", "for_each"):
            message = f"{name!r} is no operator but a key of the language; write '{name}:'"
        if name == "job":
            message = "a job is not an operator; write 'job:' with its docker_image and execution_script"
        yield file.document.problem((*location, "operator_type"), NAME, message)


def _not_distinct(file: PipelineFile, name: str) -> Iterator[str]:
    """One sentence when the class cannot be imported beside the others of the pipeline: it has another one's name."""
    wanted = name.rpartition(".")[2]
    others = {task.operator_type for _, _, task in file.tasks() if task.operator_type} - {name}
    same = sorted(other for other in others if wanted in (other.rpartition(".")[2], class_name(other)))
    if same or wanted in RESERVED or wanted in ("Branch", "ForEach", "SplitCsv", "MergeCsv"):
        who = repr(same[0]) if same else "windlass's own"
        yield f"the class {wanted!r} has the name of {who}; write an operator of your own that inherits from it"
