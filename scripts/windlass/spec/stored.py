"""Reads what windlass itself keeps as JSON; whatever lies there instead is one sentence.

Keys that this version does not know are kept: a newer windlass wrote them, and an older one in an Airflow image must go
on serving, find the same names and digests, and lose nothing when it writes the rest again.
"""

from typing import TypeVar

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
