"""Turns a document into a typed noun; whatever does not fit is a problem at its place, all of them in one pass."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError
from pydantic.fields import FieldInfo

from windlass.spec.document import Document, Location
from windlass.spec.problem import Edit, Problem, near, only_match


class Noun(BaseModel):
    """A part of a document: keys that it does not know are refused and no value is converted in silence."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, defer_build=True)


Model = TypeVar("Model", bound=BaseModel)
Text = Annotated[str, Field(min_length=1)]
"""Text that is not empty."""

_KINDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "date_type": "a date like 2026-01-31",
}

_MAX_REPORTED = 200
_SECRET = {"password"}


def read_noun(document: Document, model: type[Model]) -> Model | None:
    """The document as a `model`, or None when anything is wrong with it; what does not fit is added to its problems."""
    if document.value is None:
        if not document.problems:
            document.problems.append(document.problem((), "schema", "the file is empty"))
        return None
    try:
        noun = model.model_validate(document.value)
    except ValidationError as error:
        details = error.errors(include_url=False)
        document.problems.extend(_problems(document, model, details[:_MAX_REPORTED]))
        if len(details) > _MAX_REPORTED:
            message = f"{len(details) - _MAX_REPORTED:,} more problems of this kind; correct the others first"
            document.problems.append(document.problem((), "schema", message))
        return None
    return None if document.problems else noun


def written(location: Location) -> Location:
    """The location without what stands for no key: the names of types between which a discriminator chose."""
    return tuple(part for part in location if not (isinstance(part, str) and part.startswith("\0")))


def _problems(document: Document, model: type[BaseModel], details: Sequence[Any]) -> list[Problem]:
    """One problem per place: where a value may be of several types, the errors of all types are one problem."""
    by_place: dict[tuple[Location, bool], list[Any]] = {}
    for detail in details:
        by_place.setdefault((_place(document.value, detail), "[key]" in detail["loc"]), []).append(detail)
    return [_problem(document, model, location, group) for (location, _), group in by_place.items()]


def _place(value: Any, detail: Mapping[str, Any]) -> Location:
    """The place of the value that an error is about, or of the key that is missing.

    Pydantic puts the names of a union's types behind the place, and `[key]` behind a key that is wrong.
    """
    location: Location = detail["loc"]
    found: list[str | int] = []
    for part in written(location):
        known = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        if part not in known or part == "[key]":
            break
        value = value[part]
        found.append(part)
    if detail["type"] == "missing":
        found.append(location[-1])
    return tuple(found)


def _problem(document: Document, model: type[BaseModel], location: Location, details: Sequence[Any]) -> Problem:
    where = ".".join(str(part) for part in location[:-1]) or "the file"
    name, detail = _name(location), details[0]
    kinds = list(dict.fromkeys(_KINDS[each["type"]] for each in details if each["type"] in _KINDS))
    if detail["type"] == "extra_forbidden":
        known = known_keys(model, detail["loc"][:-1])
        message = f"unknown key {name!r} in {where}{near(name, known)}"
        problem = document.problem(location, "unknown-key", message, at_key=True)
        return replace(problem, edit=key_edit(document, location, known))
    if detail["type"] == "missing":
        return document.problem(location[:-1], "schema", f"key {name!r} is missing in {where}", at_key=True)
    if kinds:
        kinds = [kind for kind in kinds if kind != "a whole number" or "a number" not in kinds]
        message = f"{name} must be {' or '.join(kinds)}" + (
            "" if name in _SECRET else f", not {_shown(detail['input'])}"
        )
        problem = document.problem(location, "schema", message)
        return replace(problem, edit=boolean_edit(detail["input"])) if kinds == ["true or false"] else problem
    if detail["type"] in ("too_short", "string_too_short"):
        return document.problem(location, "schema", f"{name} must not be empty", at_key=True)
    if detail["type"] == "string_pattern_mismatch":
        message = f"{name}: {_shown(detail['input'])} does not have the form {detail['ctx']['pattern']}"
        return document.problem(location, "schema", message)
    reason = str(detail["ctx"]["error"]) if "error" in detail.get("ctx", {}) else _lower(detail["msg"])
    if "[key]" in detail["loc"]:
        return document.problem(location, "schema", reason, at_key=True)
    return document.problem(location, "schema", f"{name}: {reason}")


def key_edit(document: Document, location: Location, known: Sequence[str]) -> Edit | None:
    """The key that the one at `location` can only be a slip of, where it does not stand beside it already."""
    beside, key = document.at(location[:-1]), str(location[-1])
    meant = only_match(key, known)
    return Edit(key, meant) if meant and isinstance(beside, Mapping) and meant not in beside else None


def boolean_edit(value: Any) -> Edit | None:
    """`true` or `false` for a word that readers of YAML 1.1 take for it."""
    meant = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(str(value).lower())
    return Edit(value, meant) if meant and isinstance(value, str) else None


def _name(location: Location) -> str:
    if not location:
        return "the file"
    if isinstance(location[-1], int) and len(location) > 1:
        return f"{location[-2]}[{location[-1]}]"
    return str(location[-1])


def known_keys(model: type[BaseModel], location: Location) -> list[str]:
    """The keys that `model` knows at `location`; none where anything may be written."""
    current: Any = model
    for part in location:
        if isinstance(current, type) and issubclass(current, BaseModel):
            info = fields_by_key(current).get(str(part))
            current = (
                Annotated[(info.annotation, *info.metadata)] if info and info.metadata else info and info.annotation
            )
        elif (tagged := _members(current)) and part in tagged:
            current = tagged[str(part)]
        elif get_origin(current) in (dict, Mapping):
            current = get_args(current)[1]
        elif get_origin(current) in (list, tuple):
            current = get_args(current)[0]
        current = without_none(current)
    if isinstance(current, type) and issubclass(current, BaseModel):
        return [info.alias or name for name, info in current.model_fields.items()]
    return []


def fields_by_key(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a noun by the keys that are written for them."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def chosen(annotation: Any, value: Any) -> Any:
    """The type that is meant by `value` where a discriminator chooses between several; else `annotation` itself."""
    for part in getattr(annotation, "__metadata__", ()):
        if isinstance(part, Discriminator) and callable(part.discriminator):
            return _members(annotation).get(str(part.discriminator(value)), annotation)
    parts = get_args(annotation)
    if len(parts) == 2 and parts[1] is type(None) and value is not None:
        return chosen(parts[0], value)
    return annotation


def _members(annotation: Any) -> dict[str, Any]:
    """The types of a union by their tags."""
    union = annotation.__origin__ if hasattr(annotation, "__metadata__") else annotation
    return {
        part.tag: each
        for each in get_args(union)
        for part in getattr(each, "__metadata__", ())
        if isinstance(part, Tag)
    }


def without_none(annotation: Any) -> Any:
    """The type inside `X | None` and inside `Annotated[X, ...]`."""
    if hasattr(annotation, "__metadata__"):
        return without_none(annotation.__origin__)
    parts = get_args(annotation)
    if len(parts) == 2 and parts[1] is type(None):
        return without_none(parts[0])
    return annotation


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]
