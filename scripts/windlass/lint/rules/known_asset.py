"""Every asset that a pipeline waits for or reads is produced: by a task of this project (`assets: {out: [NAME]}`).

One that another project produces is declared in the environments, with who that is: `assets: {NAME: the shop's
pipelines}`. A pipeline that waits for an asset which nobody produces never runs, and nothing says so.
"""

from collections.abc import Iterator

from windlass.lint.project import PipelineFile, Project
from windlass.spec.document import Location
from windlass.spec.problem import Problem, near
from windlass.spec.schedule import OnAssets

NAME = "known-asset"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each asset that no task produces and no environment declares."""
    if project.environments is None:
        return  # who else produces what is not known
    produced = {name for environment in project.environments.values() for name in environment.assets}
    for _, _, _, task in project.tasks():
        produced.update(task.assets.outlets if task.assets else ())
    for file in project.pipelines:
        for location, name in _used(file):
            if name and name not in produced:
                message = f"nobody produces asset {name!r}: no task here, and no environment declares it under assets"
                yield file.document.problem(location, NAME, message + near(name, produced))


def _used(file: PipelineFile) -> Iterator[tuple[Location, str]]:
    schedule = file.pipeline.dag.schedule if file.pipeline else None
    if isinstance(schedule, OnAssets):
        yield from _names(schedule.assets, ("dag", "schedule", "assets"))
    for _, location, task in file.tasks():
        for i, name in enumerate(task.assets.inlets if task.assets else ()):
            yield (*location, "assets", "in", i), name
        waits = task.arguments.get("asset") if task.operator_type == "wait_for_asset" else None
        if isinstance(waits, str) and "{" not in waits:
            yield (*location, "asset"), waits


def _names(condition: object, location: Location) -> Iterator[tuple[Location, str]]:
    if isinstance(condition, str):
        yield location, condition
    elif isinstance(condition, list):
        for i, part in enumerate(condition):
            yield from _names(part, (*location, i))
    else:
        for key in ("all", "any"):
            if (parts := getattr(condition, key, None)) is not None:
                yield from _names(parts, (*location, key))
