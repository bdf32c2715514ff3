"""`{item}` in what a task that runs once for each item says."""

from collections.abc import Mapping
from typing import Any


def holds_item(value: Any, item: str) -> bool:
    """Whether `{item}` stands anywhere in `value`."""
    if isinstance(value, str):
        return f"{{{item}}}" in value
    if isinstance(value, (Mapping, list)):
        return any(holds_item(inner, item) for inner in (value.values() if isinstance(value, Mapping) else value))
    return False
