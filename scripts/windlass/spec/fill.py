"""Fills in a template: the layer that it is with the values of one pipeline's `with`."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from windlass.spec.document import MAX_BYTES, MAX_DEPTH, MAX_VALUES, Document, Location, Position
from windlass.spec.file_value import FILE, endings_of, is_file, is_path, is_short
from windlass.spec.layer import Layer, Placeholder, elsewhere, inside
from windlass.spec.problem import Problem, near
from windlass.spec.substitute import as_text, filled, names_in, occurrences, whole_name
from windlass.spec.task import Task
from windlass.spec.template import BODY, Template


def fill(template: Template, document: Document) -> Layer | None:
    """The template's layer for the pipeline in `document`; None where that cannot be, with problems of the document."""
    found = list(_wrong(template, document))
    document.problems.extend(document.problem(place, "schema", why, at_key=key) for place, why, key in found)
    if found:
        return None
    filling = _Filling(template, document)
    try:
        for key in BODY:
            if key in template.document.value:
                filling.layer.value[key] = filling.copy((key,), template.document.value[key])
    except ValueError as error:
        path, at = template.document.path, filling.at
        document.problems.append(Problem(path, at.line, at.column, "schema", str(error), used_by=(document.path,)))
        return None
    return filling.layer


def _wrong(template: Template, document: Document) -> Iterator[tuple[Location, str, bool]]:
    parameters, given = template.parameters or {}, document.value.get("with", {})
    if not isinstance(given, Mapping):
        yield ("with",), f"with must be a mapping with the parameters of template '{template}'", False
        return
    for name, value in given.items():
        if name not in parameters:
            message = f"template '{template}' has no parameter {name!r}{near(name, parameters)}"
            yield ("with", name), message, True
        elif why := parameters[name].why_not(value):
            yield ("with", name), f"{name}: {why}", False
    for name, parameter in parameters.items():
        if name not in given and not parameter.has_default:
            message = f"template '{template}' needs the parameter {name!r} in with: {parameter.description}"
            yield ("with",) if "with" in document.value else ("template",), message, True


class _Filling:
    """Copies the template's values and puts the parameters' in; what it makes is no larger than a file may be."""

    def __init__(self, template: Template, document: Document) -> None:
        self.template, self.document = template, document
        self.layer = Layer("template")
        self.at = Position(1, 1)
        self.count, self.size = 0, 0
        for name, parameter in (template.parameters or {}).items():
            given = document.value.get("with", {})
            if name in given:
                self.layer.given[name] = given[name], document.values.get(("with", name), self.at)
            else:
                where = template.document.values[("template", "parameters", name, "default")]
                self.layer.given[name] = parameter.default, elsewhere(where, template.document.path)

    def copy(self, location: Location, value: Any) -> Any:
        """The value with the parameters in it; ValueError where a parameter cannot stand there."""
        source, layer, path = self.template.document, self.layer, self.template.document.path
        self.at = source.values.get(location, self.at)
        self._spend(1, 0)
        for positions, own in ((source.keys, layer.keys), (source.values, layer.values)):
            if location in positions:
                own[location] = elsewhere(positions[location], path)
        if isinstance(value, dict):
            copied = {key: self.copy((*location, key), item) for key, item in value.items()}
            return copied if location[-2:-1] == ("outputs",) else self._of_its_repository(value, copied)
        if isinstance(value, list):
            return [self.copy((*location, index), item) for index, item in enumerate(value)]
        if not isinstance(value, str) or "$[[" not in value:
            return self._path(location, value)
        names = tuple(sorted(names_in(value)))
        layer.placeholders[location] = Placeholder(value, elsewhere(self.at, path), names)
        whole = whole_name(value)
        if whole is not None:
            return self._given(whole, location)
        self._spend(0, len(value) + sum(len(as_text(name, layer.given[name][0])) for name in occurrences(value)))
        return self._path(location, filled(value, lambda name: layer.given[name][0]))

    def _given(self, name: str, location: Location) -> Any:
        """The parameter's value itself, which is written where it was given."""
        value, position = self.layer.given[name]
        self.layer.values[location] = position
        own = name in self.document.value.get("with", {})
        source = self.document if own else self.template.document
        start: Location = ("with", name) if own else ("template", "parameters", name, "default")
        for place, item in inside(value):
            if len(location) + len(place) > MAX_DEPTH:
                raise ValueError(f"with the parameter {name!r} in it, this is nested more than {MAX_DEPTH} deep")
            self._spend(1, len(item) if isinstance(item, str) else 0)
            for positions, target in ((source.keys, self.layer.keys), (source.values, self.layer.values)):
                if place and (*start, *place) in positions:
                    found = positions[(*start, *place)]
                    target[(*location, *place)] = found if own else elsewhere(found, source.path)
        return _copied(value)

    def _spend(self, values: int, characters: int) -> None:
        self.count += values
        self.size += characters
        if self.count > MAX_VALUES or self.size > MAX_BYTES:
            limit = f"{MAX_VALUES:,} values or {MAX_BYTES:,} characters"
            raise ValueError(f"with its parameters, template '{self.template}' has more than {limit}")

    def _of_its_repository(self, written: dict[str, Any], copied: dict[str, Any]) -> dict[str, Any]:
        """`{file: PATH}` of a template of the platform is a file of the platform, unless the pipeline names it."""
        if self.template.folder and is_file(copied) and whole_name(written[FILE]) is None:
            return {FILE: str(PurePosixPath(self.template.folder, copied[FILE]))}
        return copied

    def _path(self, location: Location, value: Any) -> Any:
        """The same for `docs: PATH` and `sql: PATH`."""
        if not self.template.folder or not isinstance(value, str):
            return value
        *around, key = (part for part in location if isinstance(part, str))
        in_task = around[-1:] and around[-1] not in Task.model_fields  # a port may be called sql too
        if (key == "docs" and is_path(value)) or (in_task and is_short(value, endings_of(key))):
            return str(PurePosixPath(self.template.folder, value))
        return value


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value
