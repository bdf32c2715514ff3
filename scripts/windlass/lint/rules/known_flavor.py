"""Every job has a flavor, its own or the pipeline's `base_resource`, and every environment declares that flavor."""

from collections.abc import Iterator

from windlass.lint.declared import not_declared
from windlass.lint.project import Project
from windlass.spec.document import Document, Location
from windlass.spec.pipeline import Job
from windlass.spec.problem import Problem

NAME = "known-flavor"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each job without a flavor and for each flavor that an environment does not declare."""
    for file, _, location, task in project.tasks():
        if task.job and file.pipeline:
            yield from _job(project, file.document, (*location, "job"), task.job, file.pipeline.dag.base_resource)
    for model_file in project.models:
        if model_file.model:
            yield from _job(project, model_file.document, ("train",), model_file.model.train, None)


def _job(project: Project, document: Document, location: Location, job: Job, base: str | None) -> Iterator[Problem]:
    flavor = base if job.resource_flavor is None else job.resource_flavor
    if flavor is None:
        message = "the job has no resource_flavor" + (
            "" if location == ("train",) else ", and the dag no base_resource"
        )
        yield document.problem(location, NAME, message, at_key=True)
    if not flavor:
        return
    place = (*location, "resource_flavor") if job.resource_flavor else ("dag", "base_resource")
    declared = {name: environment.flavors for name, environment in (project.environments or {}).items()}
    for message in not_declared("flavor", flavor, declared):
        yield document.problem(place, NAME, message)
