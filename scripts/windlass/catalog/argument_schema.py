"""An operator's argument as JSON Schema: what `annotation.fits` accepts, said for editors."""

import ast
from typing import Any

from windlass.catalog.annotation import fits
from windlass.catalog.operator import Argument

Schema = dict[str, Any]

FILE: Schema = {
    "type": "object",
    "description": "The text of a file of this repository, like `{file: sql/clients.sql}`.",
    "properties": {"file": {"type": "string"}},
    "required": ["file"],
    "additionalProperties": False,
}
"""What stands for text everywhere in arguments."""

_PLAIN: dict[str, Schema] = {
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "timedelta": {"$ref": "#/definitions/Duration"},
    "None": {"type": "null"},
}
_LISTS = {"list", "Sequence", "Collection", "Iterable"}
_MAPPINGS = {"dict", "Mapping"}


def argument_schema(argument: Argument) -> Schema:
    """The values that a task may give for the argument; anything, where its annotation does not tell."""
    try:
        found = _schema(ast.parse(argument.annotation, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    if found and fits("", argument.annotation):
        return {"anyOf": [*found.get("anyOf", [found]), {"$ref": "#/definitions/File"}]}
    return found


def default_of(argument: Argument) -> Schema:
    """`default` with the argument's default, where that is a plain value."""
    try:
        value = ast.literal_eval(argument.default or "None")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
    return {"default": value} if isinstance(value, (str, int, float, bool, list, dict)) else {}


def _schema(tree: ast.expr) -> Schema:
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitOr):
        return _any_of([tree.left, tree.right])
    if isinstance(tree, ast.Constant):
        return {"type": "null"} if tree.value is None else {}
    if isinstance(tree, ast.Subscript):
        return _of_parts(_name(tree.value), tree.slice)
    name = _name(tree)
    if name in _LISTS:
        return {"type": "array"}
    return {"type": "object"} if name in _MAPPINGS else dict(_PLAIN.get(name, {}))


def _of_parts(name: str, inner: ast.expr) -> Schema:
    parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if name == "Optional":
        return _any_of([inner, ast.Constant(None)])
    if name == "Union":
        return _any_of(parts)
    if name == "Literal":
        return {"enum": [part.value for part in parts if isinstance(part, ast.Constant) and _is_plain(part.value)]}
    if name in _LISTS:
        return {"type": "array", "items": _schema(parts[0])}
    if name in _MAPPINGS:
        return {"type": "object", "additionalProperties": _schema(parts[-1])}
    return {}


def _any_of(parts: list[ast.expr]) -> Schema:
    schemas = [_schema(part) for part in parts]
    if not all(schemas):
        return {}
    return {"anyOf": [each for schema in schemas for each in schema.get("anyOf", [schema])]}


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (str, int, float, bool))


def _name(tree: ast.expr) -> str:
    return tree.id if isinstance(tree, ast.Name) else tree.attr if isinstance(tree, ast.Attribute) else ""
