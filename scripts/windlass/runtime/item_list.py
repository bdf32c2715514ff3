"""The items that a `.json` file holds."""

import json
from typing import Any

from .errors import RuntimeStop

MOST_BYTES = 1_000_000


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def items_in(name: str, content: bytes) -> list[Any]:
    """The list in the content of a `.json` file."""
    try:
        items = json.loads(content, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise RuntimeStop(f"for_each {name!r}: the file is not JSON: {error}") from error
    if not isinstance(items, list) or not all(isinstance(item, (str, int, float)) for item in items):
        raise RuntimeStop(f"for_each {name!r}: the file must hold a list of texts and numbers")
    return items
