"""How much memory a job may take of this machine: as much as its flavor has in an environment, if one is known."""

from collections.abc import Callable, Mapping

from windlass.runtime.process import Limits, size_in_bytes
from windlass.spec.jobs import Flavor
from windlass.spec.pipeline import Pipeline
from windlass.spec.task import Job

LimitsOf = Callable[[Pipeline, Job], Limits]
"""What a job of a pipeline may take."""

UNKNOWN = "jobs have no limit of memory here; --env ENV gives each that of its flavor"


def limits_in(flavors: Mapping[str, Flavor] | None) -> LimitsOf:
    """What jobs may take by these flavors; without any, and without a flavor of that name, memory has no limit."""

    def limits_of(pipeline: Pipeline, job: Job) -> Limits:
        name = job.resource_flavor or pipeline.dag.base_resource or ""
        found = (flavors or {}).get(name)
        return Limits(memory=size_in_bytes(found.memory), flavor=name) if found else Limits()

    return limits_of
