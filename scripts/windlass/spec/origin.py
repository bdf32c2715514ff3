"""Where each value of a pipeline comes from: every file that said something about it, the nearest last."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel

from windlass.spec.assemble import Assembled
from windlass.spec.dag import Dag
from windlass.spec.document import Location, Position
from windlass.spec.layer import Layer
from windlass.spec.overlay import TASK_KEYS, overlaid
from windlass.spec.pipeline import Pipeline, Task

_FROM_DAG = {key: key for key in TASK_KEYS if key in Dag.model_fields}
"""Keys of a task that hold for it where the DAG has them."""
_MISSING = object()


@dataclass(frozen=True)
class Step:
    """One word about a value. `by` is language, operator, defaults, template, with, pipeline or environment.

    `field` is another field that the value is taken from; `path`, `line` and `column` are where it is written.
    """

    by: str
    value: Any
    path: str | None = None
    line: int | None = None
    column: int | None = None
    field: str | None = None


@dataclass(frozen=True)
class Origin:
    """A field of the pipeline, its value, and all that was said about it; the last step holds."""

    field: str
    value: Any
    steps: tuple[Step, ...]

    @property
    def is_written(self) -> bool:
        """Whether some file says it, and about this very field."""
        return any(step.path is not None and not (step.field or "").startswith("dag.") for step in self.steps)


def origins(
    document: Assembled, pipeline: Pipeline, environment: str | None, arguments: Mapping[str, Mapping[str, Any]]
) -> list[Origin]:
    """Every field of the pipeline as it is in `environment`, first those that are written, each in its order.

    `arguments` are the defaults of operators' arguments, by the operator's name.
    """
    value = document.value
    if environment in pipeline.environments:
        value = overlaid(document, environment, pipeline.environments[environment]).value
    steps = _Steps(document, environment)
    found: dict[Location, Origin] = {}
    for key in Dag.model_fields:
        _add(found, steps, ("dag", key), value, _language(Dag, key))
    for task_id, task in pipeline.task_ids.items():
        place = ("tasks", *task_id.split("."))
        for below, before in _unsaid(found, task, arguments):
            _add(found, steps, (*place, *below), value, before)
    for location, item in _leaves(("dag",), value["dag"]):
        found.setdefault(location, _origin(location, item, steps.of(location)))
    for location, item in _leaves(("tasks",), value["tasks"]):
        found.setdefault(location, _origin(location, item, steps.of(location)))
    return sorted(found.values(), key=lambda origin: not origin.is_written)


def _unsaid(
    found: Mapping[Location, Origin], task: Task, arguments: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[Location, tuple[Step, ...]]]:
    """What holds for a task's keys before the task says anything."""
    for key in TASK_KEYS:
        if key != "job" and (key, task.job is not None) != ("execution_time", True):
            inherited = _inherited(found, _FROM_DAG[key]) if key in _FROM_DAG else ()
            yield (key,), inherited or _language(Task, key)
    if task.job is not None:
        yield ("job", "resource_flavor"), _inherited(found, "base_resource")
    for name, default in arguments.get(task.operator_type or "", {}).items():
        yield (name,), (Step("operator", default, field=task.operator_type),)


def _inherited(found: Mapping[Location, Origin], key: str) -> tuple[Step, ...]:
    steps = found["dag", key].steps
    return tuple(Step(one.by, one.value, one.path, one.line, one.column, one.field or f"dag.{key}") for one in steps)


def _language(model: type[BaseModel], key: str) -> tuple[Step, ...]:
    info = model.model_fields[key]
    if info.is_required():
        return ()
    default = info.get_default()
    return (Step("language", default.isoformat() if isinstance(default, date) else default),)


def _add(
    found: dict[Location, Origin], steps: "_Steps", location: Location, value: Any, before: tuple[Step, ...]
) -> None:
    """Notes a field that has a value before a file says one; what is in a mapping is noted by itself."""
    item = _at(value, location)
    if isinstance(item, dict) and item:
        return
    if item is _MISSING and before:
        found[location] = _origin(location, before[-1].value, before)
    elif item is not _MISSING:
        found[location] = _origin(location, item, (*before, *steps.of(location)))


def _origin(location: Location, value: Any, steps: tuple[Step, ...]) -> Origin:
    return Origin(".".join(map(str, location)), value, steps)


class _Steps:
    """What the layers of a document say about a place."""

    def __init__(self, document: Assembled, environment: str | None) -> None:
        self.document, self.environment = document, environment

    def of(self, location: Location) -> tuple[Step, ...]:
        """All that files say, the farthest first; what holds in the environment alone comes last."""
        there = [] if self.environment is None else [("environments", self.environment, *location)]
        found = [step for layer in self.document.layers for step in self._said(layer, location, layer.kind)]
        found += [step for place in there for layer in self.document.layers for step in self._said(layer, place, None)]
        return tuple(found)

    def _said(self, layer: Layer, location: Location, by: str | None) -> Iterator[Step]:
        value = _at(layer.value, location)
        if value is _MISSING:
            return
        whole = next((place for place in _ups(location) if place in layer.placeholders), None)
        if whole is None:
            positions = layer.values if layer.kind != "pipeline" else self.document.values
            yield self._step(by or "environment", value, _nearest(positions, location))
            return
        placeholder = layer.placeholders[whole]
        yield self._step(by or "environment", placeholder.text, placeholder.position)
        for name in placeholder.parameters:
            given, position = layer.given[name]
            yield self._step("with" if position.path is None else layer.kind, given, position, f"parameters.{name}")

    def _step(self, by: str, value: Any, position: Position, field: str | None = None) -> Step:
        return Step(by, value, position.path or self.document.path, position.line, position.column, field)


def _nearest(positions: Mapping[Location, Position], location: Location) -> Position:
    """Where the place is written, or what it is in: an alias has no places of its own."""
    return next((positions[place] for place in _ups(location) if place in positions), Position(1, 1))


def _ups(location: Location) -> Iterator[Location]:
    for length in range(len(location), 0, -1):
        yield location[:length]


def _at(value: Any, location: Location) -> Any:
    for part in location:
        if not isinstance(value, dict) or part not in value:
            return _MISSING
        value = value[part]
    return value


def _leaves(location: Location, value: Any) -> Iterator[tuple[Location, Any]]:
    """Whatever is no mapping with something in it."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _leaves((*location, key), item)
    else:
        yield location, value
