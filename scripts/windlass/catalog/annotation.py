"""Whether a value from YAML fits an argument's annotation; what an annotation cannot tell is taken to fit."""

import ast
import re
import types
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from windlass.spec.duration import parse_duration


def fits(value: Any, annotation: str) -> bool:
    """Whether `value` may be given for an argument annotated with the source text `annotation`."""
    tree = _parsed(annotation)
    return tree is None or _fits(value, tree)


@lru_cache(maxsize=1024)  # a project has few operators, and many tasks of each
def _parsed(annotation: str) -> ast.expr | None:
    """The annotation's syntax; None for what is none."""
    try:
        return ast.parse(annotation, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def takes_duration(annotation: str) -> bool:
    """Whether text given for an argument is a length of time: `timedelta`, alone or with None."""
    return re.fullmatch(r"(Optional\[)?(datetime\.)?timedelta(\]| *\| *None)?", annotation) is not None


def shown(value: Any) -> str:
    """The value as a message shows it: short, and what it is when it is not plain."""
    if isinstance(value, dict):
        return "a mapping"
    if value is None:
        return "nothing"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _fits(value: Any, tree: ast.expr) -> bool:
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitOr):
        return _fits(value, tree.left) or _fits(value, tree.right)
    if isinstance(tree, ast.Constant):
        return value is None if tree.value is None else True
    if isinstance(tree, ast.Subscript):
        return _fits_parts(value, _name(tree.value), tree.slice)
    test = _PLAIN.get(_name(tree))
    return test is None or test(value)


def _fits_parts(value: Any, name: str, inner: ast.expr) -> bool:
    parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if name == "Optional":
        return value is None or _fits(value, inner)
    if name == "Union":
        return any(_fits(value, part) for part in parts)
    if name == "Literal":
        return any(isinstance(part, ast.Constant) and part.value == value for part in parts)
    if name in _LISTS:
        return isinstance(value, list) and all(_fits(item, parts[0]) for item in value)
    if name in _MAPPINGS:
        return isinstance(value, dict) and all(_fits(item, parts[-1]) for item in value.values())
    return True


def _name(tree: ast.expr) -> str:
    return tree.id if isinstance(tree, ast.Name) else tree.attr if isinstance(tree, ast.Attribute) else ""


def _is_duration(value: Any) -> bool:
    try:
        parse_duration(value)
    except ValueError:
        return False
    return True


_LISTS = {"list", "Sequence", "Collection", "Iterable"}
_MAPPINGS = {"dict", "Mapping"}
_PLAIN: types.MappingProxyType[str, Callable[[Any], bool]] = types.MappingProxyType(
    {
        "str": lambda value: isinstance(value, str),
        "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
        "float": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
        "bool": lambda value: isinstance(value, bool),
        "timedelta": _is_duration,
        **{name: lambda value: isinstance(value, list) for name in _LISTS},
        **{name: lambda value: isinstance(value, dict) for name in _MAPPINGS},
    }
)
