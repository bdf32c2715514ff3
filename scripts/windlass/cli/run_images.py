"""Lets the jobs of a run on this machine run in the images of an environment."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from windlass.cli import console, context
from windlass.spec.errors import WindlassError
from windlass.spec.problem import near

if TYPE_CHECKING:
    from windlass.jobs.run_plan import RunPlan
    from windlass.runtime.job import Place
    from windlass.spec.environment import Environment
    from windlass.spec.pipeline import Pipeline
    from windlass.spec.task import Job


def places(environment: "Environment | None", pipeline: "Pipeline", plan: "RunPlan") -> "Callable[[Job], Place | None]":
    """Where each job runs: in its image, which is pulled now if it is not here, with the memory of its flavor."""
    from windlass.adapters.container import find_engine, in_image, pull

    if environment is None:
        raise WindlassError("--backend docker takes the images of an environment; add --env ENV")
    settings, engine = context.runtime_settings(environment), find_engine()
    jobs = [job for task_id in plan.tasks if (job := pipeline.task_ids[task_id].job)]
    for name in {job.docker_image: None for job in jobs}:
        if name not in settings.images:
            known = near(name, settings.images)
            raise WindlassError(f"image {name!r} is none of environment {environment.name!r}{known}")
        pull(engine, settings.images[name], console.step)

    def place(job: "Job") -> "Place | None":
        flavor = settings.flavors.get(job.resource_flavor or pipeline.dag.base_resource or "")
        memory, cpus = (flavor.memory, float(flavor.cpus)) if flavor else (None, None)
        return in_image(engine, settings.images[job.docker_image], memory, cpus, settings.jobs.network)

    return place
