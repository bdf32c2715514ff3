"""Turns a document into a typed noun; whatever does not fit is a problem at its place, all of them in one pass."""

from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError

from windlass.spec.document import Document, Location
from windlass.spec.problem import near


class Noun(BaseModel):
    """A part of a document: keys that it does not know are refused and no value is converted in silence."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Model = TypeVar("Model", bound=BaseModel)

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


def read_noun(document: Document, model: type[Model]) -> Model | None:
    """The document as a `model`, or None; what does not fit is added to the document's problems."""
    if document.value is None:
        if not document.problems:
            document.problems.append(document.problem((), "schema", "the file is empty"))
        return None
    try:
        return model.model_validate(document.value)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            _add_problem(document, model, dict(detail))
        return None


def _add_problem(document: Document, model: type[BaseModel], detail: Mapping[str, Any]) -> None:
    location: Location = tuple(part for part in detail["loc"] if part != "[key]")
    where = ".".join(str(part) for part in location[:-1]) or "the file"
    name, kind, value = (location[-1] if location else "the file"), detail["type"], detail["input"]
    if kind == "extra_forbidden":
        valid = known_keys(model, location[:-1])
        message = f"unknown key {name!r} in {where}{near(str(name), valid)}"
        problem = document.problem(location, "unknown-key", message, at_key=True)
    elif kind == "missing":
        problem = document.problem(location[:-1], "schema", f"key {name!r} is missing in {where}", at_key=True)
    elif kind in _KINDS:
        message = f"{name} must be {_KINDS[kind]}, not {_shown(value)}"
        problem = document.problem(location, "schema", message)
    else:
        reason = str(detail["ctx"]["error"]) if "error" in detail.get("ctx", {}) else _lower(detail["msg"])
        problem = document.problem(location, "schema", f"{name}: {reason}")
    document.problems.append(problem)


def known_keys(model: type[BaseModel], location: Location) -> list[str]:
    """The keys that `model` knows at `location`; none where anything may be written."""
    current: Any = model
    for part in location:
        if isinstance(current, type) and issubclass(current, BaseModel):
            info = current.model_fields.get(str(part))
            current = info.annotation if info else None
        elif get_origin(current) in (dict, Mapping):
            current = get_args(current)[1]
        elif get_origin(current) in (list, tuple):
            current = get_args(current)[0]
        current = _without_none(current)
    if isinstance(current, type) and issubclass(current, BaseModel):
        return list(current.model_fields)
    return []


def _without_none(annotation: Any) -> Any:
    """The type inside `X | None` and inside `Annotated[X, ...]`."""
    if hasattr(annotation, "__metadata__"):
        return annotation.__origin__
    parts = [part for part in get_args(annotation) if part is not type(None)]
    return (
        parts[0]
        if len(parts) == 1 and len(get_args(annotation)) == 2 and type(None) in get_args(annotation)
        else annotation
    )


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
