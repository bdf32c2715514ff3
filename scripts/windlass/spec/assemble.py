"""Puts a pipeline together from the layers that files give: defaults, a template, and the pipeline's own file.

The nearest wins. Mappings of the language are laid over each other: the DAG, its params and notify, groups, tasks,
jobs, inputs and outputs. All else is replaced as a whole: lists, texts, a schedule, an operator's argument.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from windlass.spec.defaults import Defaults
from windlass.spec.document import MAX_VALUES, Document, Location, Position
from windlass.spec.fill import fill
from windlass.spec.group import is_task
from windlass.spec.layer import Layer
from windlass.spec.task import KINDS
from windlass.spec.template import BODY, Template

_OF_TASKS = ("job", "inputs", "outputs")
_OF_DAG = ("params", "notify")


@dataclass
class Assembled(Document):
    """A pipeline's document with what other files give; `layers` are the files' values, the nearest last."""

    layers: list[Layer] = field(default_factory=list)
    origins: tuple[str, ...] = ()
    """The paths of the other files that give a value."""


def assemble(
    document: Document, template: Template | None, defaults: Sequence[tuple[Document, Defaults]]
) -> Assembled | None:
    """The whole pipeline; None where the template cannot be used, with problems of the document. The nearest
    defaults come last."""
    below = fill(template, document) if template else None
    if template and below is None:
        return None
    value = {key: item for key, item in document.value.items() if key not in BODY}
    own = Layer("pipeline")
    own.value = {key: document.value[key] for key in BODY if key in document.value}
    result = Assembled(document.path, value, dict(document.keys), dict(document.values), document.problems)
    result.text = document.text
    assembly = _Assembly(result)
    assembly.adopt_all(own.value)
    layers = [own]
    if below is not None:
        assembly.lay_under(below, defines=True)
        layers.insert(0, below)
    for source, given in reversed(defaults):
        layer = _defaults_layer(source, given, result.value)
        assembly.lay_under(layer, defines=False)
        layers.insert(0, layer)
    if assembly.count > MAX_VALUES:
        message = f"with its template and defaults, the pipeline has more than {MAX_VALUES:,} values"
        document.problems.append(document.problem((), "schema", message))
        return None
    result.layers = layers
    result.origins = tuple(
        sorted({place.path for place in (*result.keys.values(), *result.values.values()) if place.path})
    )
    return result


class _Assembly:
    """Lays layers under what is there already, with the places of what they add."""

    def __init__(self, result: Assembled) -> None:
        self.result = result
        self.count = 0

    def adopt_all(self, value: dict[str, Any]) -> None:
        """Takes the pipeline's own values as they are, places included."""
        self.result.value |= {key: self._copied(item) for key, item in value.items()}

    def lay_under(self, layer: Layer, *, defines: bool) -> None:
        """Adds what nobody nearer says. A template `defines` its tasks: they come first and are written there."""
        value = self.result.value
        shape = layer.value.get("tasks", {}) if defines else value.get("tasks", {})
        for key in BODY:
            if key not in layer.value:
                continue
            lower = layer.value[key]
            if key not in value:
                value[key] = {}
                self._place(key)
            if not (isinstance(value[key], dict) and isinstance(lower, dict)):
                continue  # the schema says what is wrong with it
            if key == "dag":
                self._dag(layer, value[key], lower, (key,))
            elif key == "tasks":
                value[key] = self._nodes(layer, value[key], lower, (key,), shape if defines else value[key], defines)
            else:
                self._environments(layer, value[key], lower, value.get("tasks", {}))

    def _place(self, key: str) -> None:
        """What the pipeline lacks altogether is missing at its first line."""
        self.result.values.setdefault((key,), self.result.values.get((), Position(1, 1)))

    def _adopt(self, layer: Layer, upper: dict[str, Any], key: str, item: Any, place: Location) -> None:
        upper[key] = self._copied(item)
        self._take_places(layer, item, place)

    def _take_places(self, layer: Layer, value: Any, place: Location) -> None:
        for positions, own in ((layer.keys, self.result.keys), (layer.values, self.result.values)):
            if place in positions:
                own[place] = positions[place]
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in items:
            self._take_places(layer, item, (*place, key))

    def _flat(self, layer: Layer, upper: dict[str, Any], lower: Mapping[str, Any], place: Location) -> None:
        for key, item in lower.items():
            if key not in upper:
                self._adopt(layer, upper, key, item, (*place, key))

    def _dag(self, layer: Layer, upper: dict[str, Any], lower: Mapping[str, Any], place: Location) -> None:
        self._flat(layer, upper, lower, place)
        for key in _OF_DAG:
            above, below = upper.get(key), lower.get(key)
            if not (isinstance(above, dict) and isinstance(below, dict)):
                continue
            self._flat(layer, above, below, (*place, key))
            for name, item in below.items() if key == "params" else ():
                if isinstance(item, dict) and isinstance(above[name], dict):
                    self._flat(layer, above[name], item, (*place, key, name))

    def _nodes(
        self,
        layer: Layer,
        upper: dict[str, Any],
        lower: Mapping[str, Any],
        place: Location,
        shape: Mapping[str, Any],
        defines: bool,
    ) -> dict[str, Any]:
        """What is in a group. `shape` is the same group where tasks and groups can be told apart."""
        for key, item in lower.items():
            where = (*place, key)
            if key not in upper:
                self._adopt(layer, upper, key, item, where)
                continue
            if not (isinstance(item, dict) and isinstance(upper[key], dict) and isinstance(shape.get(key), dict)):
                continue
            if len(place) > 1 and is_task(shape[key]):
                self._task(layer, upper[key], item, where)
            else:
                upper[key] = self._nodes(layer, upper[key], item, where, shape[key], defines)
            if defines:
                self._place_of(layer, where)
        return {key: upper[key] for key in (*lower, *upper)} if defines else upper

    def _place_of(self, layer: Layer, place: Location) -> None:
        for positions, own in ((layer.keys, self.result.keys), (layer.values, self.result.values)):
            if place in positions:
                own[place] = positions[place]

    def _task(self, layer: Layer, upper: dict[str, Any], lower: Mapping[str, Any], place: Location) -> None:
        self._flat(layer, upper, lower, place)
        for key in _OF_TASKS:
            if isinstance(upper.get(key), dict) and isinstance(lower.get(key), dict):
                self._flat(layer, upper[key], lower[key], (*place, key))

    def _environments(
        self, layer: Layer, upper: dict[str, Any], lower: Mapping[str, Any], tasks: Mapping[str, Any]
    ) -> None:
        for name, item in lower.items():
            place: Location = ("environments", name)
            above = upper.setdefault(name, {})
            self._place_below(layer, place)
            if not (isinstance(above, dict) and isinstance(item, dict)):
                continue
            for key, below in item.items():
                if key not in above or not (isinstance(above[key], dict) and isinstance(below, dict)):
                    self._flat(layer, above, {key: below}, place)
                elif key == "dag":
                    self._dag(layer, above[key], below, (*place, key))
                elif key == "tasks":
                    self._nodes(layer, above[key], below, (*place, key), tasks, False)

    def _place_below(self, layer: Layer, place: Location) -> None:
        if place not in self.result.values:
            self._place_of(layer, place)

    def _copied(self, value: Any) -> Any:
        self.count += 1
        if isinstance(value, dict):
            return {key: self._copied(item) for key, item in value.items()}
        return [self._copied(item) for item in value] if isinstance(value, list) else value


def _defaults_layer(source: Document, defaults: Defaults, pipeline: Mapping[str, Any]) -> Layer:
    """The defaults in the places that they have in the pipeline: an operator's at each task that it runs."""
    layer = Layer("defaults")
    for key in ("dag", "environments"):
        if getattr(defaults, key):
            layer.value[key] = layer.copy_from(source, (key,), (key,))
            layer.keys.pop((key,), None)
    if not defaults.job and not defaults.operators:
        return layer
    tasks: dict[str, Any] = {}
    for place, task in _tasks(pipeline.get("tasks"), ()):
        operator = task.get("operator_type")
        if isinstance(operator, str) and operator in defaults.operators:
            given = layer.copy_from(source, ("operators", operator), ("tasks", *place))
        elif isinstance(task.get("job"), dict) and defaults.job:
            given = {"job": layer.copy_from(source, ("job",), ("tasks", *place, "job"))}
        else:
            continue
        _put(tasks, place, given)
    if tasks:
        layer.value["tasks"] = tasks
    return layer


def _tasks(node: Any, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    for key, item in node.items() if isinstance(node, dict) else ():
        if not isinstance(item, dict):
            continue
        if place and is_task(item):
            if any(kind in item for kind in KINDS):
                yield (*place, key), item
        else:
            yield from _tasks(item, (*place, key))


def _put(tasks: dict[str, Any], place: tuple[str, ...], given: Any) -> None:
    for key in place[:-1]:
        tasks = tasks.setdefault(key, {})
    tasks[place[-1]] = given
