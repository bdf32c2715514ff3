"""One item in place of `{item}` in the arguments of the task that runs for it."""

from collections.abc import Mapping
from typing import Any

from .errors import RuntimeStop


def with_item(value: Any, item: str, each: Any) -> Any:
    """`value` with `each` in place of `{item}`: as it is where that is all, else as text; a file is never text."""
    mark = f"{{{item}}}"
    if isinstance(value, str):
        if value == mark:
            return each
        if mark in value and isinstance(each, Mapping):
            raise RuntimeStop(f"{value[:80]!r}: {mark} is a file here; take it as an input, like data: '{mark}'")
        return value.replace(mark, str(each))
    if isinstance(value, Mapping):
        return {key: with_item(inner, item, each) for key, inner in value.items()}
    return [with_item(inner, item, each) for inner in value] if isinstance(value, list) else value


def untemplated(value: Any) -> Any:
    """`value` so that Airflow's templates make it what it is: what is read from files must never be code."""
    if isinstance(value, str):
        return value.replace("{", "{{ '{' }}") if any(mark in value for mark in ("{{", "{%", "{#")) else value
    if isinstance(value, Mapping):
        return {key: untemplated(inner) for key, inner in value.items()}
    return [untemplated(inner) for inner in value] if isinstance(value, list) else value
