"""Every job has a flavor, its own or the pipeline's `base_resource`, and every environment declares that flavor."""

from collections.abc import Iterator

from windlass.lint.declared import not_declared, undeclared
from windlass.lint.project import Project, place
from windlass.spec.document import Location
from windlass.spec.pipeline import Pipeline
from windlass.spec.problem import Problem

NAME = "known-flavor"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each job without a flavor and for each flavor that an environment does not declare."""
    for file, _, location, task in project.tasks():
        if task.job and task.job.resource_flavor is None and file.pipeline and file.pipeline.dag.base_resource is None:
            message = "the job has no resource_flavor, and the dag no base_resource"
            yield file.document.problem((*location, "job"), NAME, message, at_key=True)
    yield from undeclared(project, NAME, "flavor", _asked, lambda environment: environment.flavors)
    declared = {name: environment.flavors for name, environment in (project.environments or {}).items()}
    for model_file in project.models:
        flavor = model_file.model.train.resource_flavor if model_file.model else ""
        if flavor is None:
            message = "the job has no resource_flavor"
            yield model_file.document.problem(("train",), NAME, message, at_key=True)
        for message in not_declared("flavor", flavor, declared) if flavor else ():
            yield model_file.document.problem(("train", "resource_flavor"), NAME, message)


def _asked(pipeline: Pipeline) -> Iterator[tuple[Location, str]]:
    for task_id, task in pipeline.task_ids.items():
        if task.job and task.job.resource_flavor is not None:
            yield (*place(task_id), "job", "resource_flavor"), task.job.resource_flavor
        elif task.job:
            yield ("dag", "base_resource"), pipeline.dag.base_resource or ""
