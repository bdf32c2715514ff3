"""Reads what windlass itself keeps as JSON; whatever lies there instead is one sentence.

Keys that this version does not know are kept: a newer windlass wrote them, and an older one in an Airflow image must go
on serving, find the same names and digests, and lose nothing when it writes the rest again.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from windlass.spec.errors import DeliveryError

Kept = TypeVar("Kept", bound=BaseModel)


def read_stored(kind: type[Kept], content: bytes, otherwise: str) -> Kept:
    """The `kind` in `content`; else a DeliveryError that says `otherwise`, the first key that is wrong, and why."""
    try:
        return kind.model_validate_json(content, extra="allow")
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in detail["loc"])
        raise DeliveryError(f"{otherwise}: {key + ': ' if key else ''}{detail['msg']}") from error


def content_of(noun: BaseModel) -> dict[str, Any]:
    """The noun as JSON's own types, with the keys that `read_stored` found and this version does not know."""
    content: dict[str, Any] = _with_unknown(noun, noun.model_dump(mode="json"))
    return content


def _with_unknown(value: Any, content: Any) -> Any:
    if isinstance(value, BaseModel):
        known = {key: _with_unknown(getattr(value, key), inner) for key, inner in content.items()}
        return known | (value.__pydantic_extra__ or {})
    if isinstance(value, Mapping):
        return {key: _with_unknown(inner, content[key]) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_unknown(*pair) for pair in zip(value, content, strict=True)]
    return content
