"""Which environments lack a thing that a pipeline asks for, with what a pipeline's overlays change."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from windlass.lint.project import Project
from windlass.lint.variants import variants, written
from windlass.spec.document import Location
from windlass.spec.environment import Environment
from windlass.spec.pipeline import Pipeline
from windlass.spec.problem import Problem, near
from windlass.spec.schema import Noun

Asked = Callable[[Pipeline], Iterable[tuple[Location, str]]]
"""The names that a pipeline asks for, and where each of them is written."""


def not_declared(kind: str, name: str, declared: Mapping[str, Collection[str]]) -> Iterator[str]:
    """One sentence when some environment does not declare `name`; `declared` are the names by environment."""
    lacking = [environment for environment, names in declared.items() if name not in names]
    if lacking:
        yield _sentence(kind, name, lacking, declared)


def undeclared(
    project: Project, rule: str, kind: str, asked: Asked, declares: Callable[[Environment], Collection[str]]
) -> Iterator[Problem]:
    """A problem for each place of a pipeline that names something which an environment does not declare.

    Each environment is asked about the pipeline as it is there.
    """
    declared = {name: declares(environment) for name, environment in (project.environments or {}).items()}
    for file in project.pipelines:
        lacking: dict[tuple[Location, str], list[str]] = {}
        seen = {environment: list(asked(pipeline)) for environment, pipeline in variants(file)}
        for environment, names in declared.items() if seen else ():
            for location, name in seen.get(environment, seen[None]):
                if name and name not in names:
                    place = written(file, environment, location)
                    lacking.setdefault((place, name), []).append(environment)
        for (place, name), environments in lacking.items():
            yield file.document.problem(place, rule, _sentence(kind, name, environments, declared))


def kept_here(project: Project, declares: Callable[[Environment], Collection[str]]) -> bool:
    """Whether the environments declare things of a kind at all; where none does, they are kept somewhere else."""
    return any(declares(environment) for environment in (project.environments or {}).values())


def texts(value: Any, location: Location) -> Iterator[tuple[Location, str]]:
    """Each text inside a value or a noun, with its place."""
    if isinstance(value, str):
        yield location, value
    elif isinstance(value, Noun):
        for name, item in value:
            if item:
                yield from texts(item, (*location, name))
    elif isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from texts(item, (*location, key))


def _sentence(kind: str, name: str, lacking: list[str], declared: Mapping[str, Collection[str]]) -> str:
    everywhere = set.intersection(*(set(names) for names in declared.values()))
    where = ", ".join(repr(environment) for environment in lacking)
    plural = "s" if len(lacking) > 1 else ""
    return f"{kind} {name!r} is not declared in environment{plural} {where}{near(name, everywhere)}"
