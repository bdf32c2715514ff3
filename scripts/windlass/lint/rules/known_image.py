"""Every environment declares the image that a job runs in."""

from collections.abc import Iterator

from windlass.lint.declared import not_declared, undeclared
from windlass.lint.project import Project, place
from windlass.spec.document import Location
from windlass.spec.pipeline import Pipeline
from windlass.spec.problem import Problem

NAME = "known-image"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each image of a job that an environment does not declare."""
    yield from undeclared(project, NAME, "image", _asked, lambda environment: environment.images)
    declared = {name: environment.images for name, environment in (project.environments or {}).items()}
    for model_file in project.models:
        if model_file.model and model_file.model.train.docker_image:
            for message in not_declared("image", model_file.model.train.docker_image, declared):
                yield model_file.document.problem(("train", "docker_image"), NAME, message)


def _asked(pipeline: Pipeline) -> Iterator[tuple[Location, str]]:
    for task_id, task in pipeline.task_ids.items():
        if task.job:
            yield (*place(task_id), "job", "docker_image"), task.job.docker_image
