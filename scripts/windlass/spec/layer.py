"""A layer: the values that one file gives to a pipeline, with the place in that file where each was written."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from windlass.spec.document import Document, Location, Position

Kind = Literal["language", "defaults", "template", "with", "pipeline", "environment"]


@dataclass(frozen=True)
class Placeholder:
    """What stands in the template where a parameter gave the value: its text, and whose values are in it."""

    text: str
    position: Position
    parameters: tuple[str, ...]


@dataclass
class Layer:
    """Values in the places that they have in a pipeline; the paths of their positions are those of other files only."""

    kind: Kind
    value: dict[str, Any] = field(default_factory=dict)
    keys: dict[Location, Position] = field(default_factory=dict)
    values: dict[Location, Position] = field(default_factory=dict)
    placeholders: dict[Location, Placeholder] = field(default_factory=dict)
    given: dict[str, tuple[Any, Position]] = field(default_factory=dict)
    """The parameters' values, and where each was written."""

    def copy_from(self, document: Document, source: Location, target: Location) -> Any:
        """A copy of what `document` has at `source`, with its places as those of `target`."""
        return self._copy(document, document.at(source), source, target)

    def _copy(self, document: Document, value: Any, source: Location, target: Location) -> Any:
        for positions, own in ((document.keys, self.keys), (document.values, self.values)):
            if source in positions:
                own[target] = elsewhere(positions[source], document.path)
        if isinstance(value, dict):
            return {k: self._copy(document, item, (*source, k), (*target, k)) for k, item in value.items()}
        if isinstance(value, list):
            return [self._copy(document, item, (*source, i), (*target, i)) for i, item in enumerate(value)]
        return value


def elsewhere(position: Position, path: str) -> Position:
    """The position as seen from a document of another file."""
    return position if position.path else position._replace(path=path)


def inside(value: Any, location: Location = ()) -> Iterator[tuple[Location, Any]]:
    """A value and all that is in it, with the places."""
    yield location, value
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from inside(item, (*location, key))
