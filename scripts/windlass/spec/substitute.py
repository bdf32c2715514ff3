"""`$[[ parameters.table ]]` in a template: a value stands in its place, as a value and never as YAML.

The form is GitLab's for the inputs of components. It is neither a port (`{table}`), nor one of Airflow's templates
(`{{ ds }}`), nor a CI variable (`${TABLE}`). `$$[[` is the text `$[[`.
"""

import re
from collections.abc import Callable
from typing import Any

_OPENING = re.compile(r"\$\$\[\[|\$\[\[")
_PLACEHOLDER = re.compile(r"\$\[\[ *parameters\.([a-z][a-z0-9_]{0,62}) *\]\]")
_WHOLE = re.compile(r"\s*" + _PLACEHOLDER.pattern + r"\s*")
_EITHER = re.compile(r"\$\$\[\[|" + _PLACEHOLDER.pattern)


def whole_name(text: str) -> str | None:
    """The parameter that the text consists of: its value keeps its type."""
    match = _WHOLE.fullmatch(text)
    return match[1] if match else None


def names_in(text: str) -> set[str]:
    """The parameters that the text takes."""
    return set(occurrences(text))


def occurrences(text: str) -> list[str]:
    """The same, each as often as it stands there."""
    return [match[1] for match in _EITHER.finditer(text) if match[1]] if "$[[" in text else []


def strays_in(text: str) -> list[str]:
    """What begins like a placeholder and is none, as far as its end or a few letters."""
    if "$[[" not in text:
        return []
    rest = _EITHER.sub("", text)
    return [re.split(r"(?<=\]\])", rest[match.start() : match.start() + 60])[0] for match in _OPENING.finditer(rest)]


def filled(text: str, value_of: Callable[[str], Any]) -> str:
    """The text with each parameter's value in it, and nothing in a value read again; ValueError for a list or so."""
    return _EITHER.sub(lambda match: as_text(match[1], value_of(match[1])) if match[1] else "$[[", text)


def as_text(name: str, value: Any) -> str:
    """A value as it stands inside a text: numbers as in YAML, `true` and `false`; ValueError where there is no way."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    what = "empty" if value is None else "a list" if isinstance(value, list) else "a mapping"
    raise ValueError(f"the parameter {name!r} is {what}, and cannot stand inside a text")
