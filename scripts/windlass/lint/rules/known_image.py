"""Every environment declares the image that a job runs in."""

from collections.abc import Iterator

from windlass.lint.declared import not_declared
from windlass.lint.project import Project
from windlass.spec.problem import Problem

NAME = "known-image"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each image of a job that an environment does not declare."""
    declared = {name: environment.images for name, environment in (project.environments or {}).items()}
    for file, _, location, task in project.tasks():
        for message in (
            not_declared("image", task.job.docker_image, declared) if task.job and task.job.docker_image else ()
        ):
            yield file.document.problem((*location, "job", "docker_image"), NAME, message)
    for model_file in project.models:
        if model_file.model and model_file.model.train.docker_image:
            for message in not_declared("image", model_file.model.train.docker_image, declared):
                yield model_file.document.problem(("train", "docker_image"), NAME, message)
