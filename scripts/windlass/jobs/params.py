"""A pipeline's parameter as it is given on a command line."""

import json
from typing import Any

from pydantic import ValidationError

from windlass.spec.parameter import Parameter


def parse_param(parameter: Parameter, text: str) -> Any:
    """The value that `text` is for this parameter; ValueError says why it is none."""
    value = text if parameter.type == "string" else _parsed(parameter.type, text)
    check_param(parameter, value)
    return value


def check_param(parameter: Parameter, value: Any) -> None:
    """ValueError where the parameter does not take the value."""
    try:
        Parameter.model_validate({**parameter.model_dump(exclude_unset=True), "default": value})
    except ValidationError as error:
        raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ").removeprefix("default ")) from None


def _parsed(kind: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        example = {"boolean": "true", "array": '["a"]', "object": '{"a": 1}'}.get(kind, "1")
        raise ValueError(f"{text!r} is not of the type {kind}; write it like {example}") from None
