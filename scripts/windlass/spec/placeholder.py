"""`${NAME}` in an environment's file: the names that a value holds, and the value with them filled in."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, SecretStr

from windlass.spec.errors import WindlassError

PLACEHOLDER = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def names_in(value: Any) -> set[str]:
    """The names of all `${NAME}` anywhere in `value`: text, secrets, lists, mappings and nouns."""
    if isinstance(value, SecretStr):
        return names_in(value.get_secret_value())
    if isinstance(value, str):
        return set(PLACEHOLDER.findall(value))
    if isinstance(value, BaseModel):
        return names_in(value.__dict__)
    if isinstance(value, Mapping):
        return names_in(list(value.values()))
    if isinstance(value, (list, tuple)):
        return {name for item in value for name in names_in(item)}
    return set()


def require(names: Iterable[str], variables: Mapping[str, str], where: str) -> None:
    """WindlassError that lists all of `names` that are not set, or are empty."""
    if missing := sorted(name for name in set(names) if not variables.get(name)):
        raise WindlassError(
            f"{where} needs variables that are not set: {', '.join(missing)}; set them as CI/CD variables"
        )


def check_placeholders(text: str) -> str:
    """`text` itself when each `${` in it begins a `${NAME}`; ValueError otherwise, without the text."""
    if "${" in PLACEHOLDER.sub("", text):
        raise ValueError("'${' begins the name of a CI/CD variable: write ${NAME} with letters, digits and _")
    return text
