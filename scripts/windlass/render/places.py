"""Which task of the pipeline each line of a rendered module belongs to."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Lines `first` to `last` make the task or group `name`, as in the DAG; the DAG itself has no name."""

    first: int
    last: int
    name: str


def places(source: str) -> list[Place]:
    """The places of a rendered module; what is in a group comes after the group."""
    groups: dict[str, str] = {}
    return [place for node in ast.parse(source).body for place in _of(node, "", groups)]


def name_at(found: list[Place], line: int) -> str:
    """The innermost task or group at `line`; "" where there is none: orders and the DAG's own arguments."""
    inside = [place for place in found if place.first <= line <= place.last]
    return min(inside, key=lambda place: place.last - place.first).name if inside else ""


def _of(node: ast.stmt, group: str, groups: dict[str, str]) -> Iterator[Place]:
    """`groups` are the names of groups by the variables in which a module keeps those that it comes back to."""
    if isinstance(node, ast.With):
        call, variable = node.items[0].context_expr, node.items[0].optional_vars
        name = groups[call.id] if isinstance(call, ast.Name) else _joined(group, _literal(call, "group_id"))
        if isinstance(variable, ast.Name):
            groups[variable.id] = name
        yield Place(node.lineno, call.end_lineno or node.lineno, name)
        for inner in node.body:
            yield from _of(inner, name, groups)
    elif isinstance(node, ast.Assign):
        task = next((name for call in ast.walk(node.value) if (name := _literal(call, "task_id"))), "")
        yield Place(node.lineno, node.end_lineno or node.lineno, _joined(group, task))


def _literal(call: ast.AST, keyword: str) -> str:
    """The text that a call is given for `keyword`, or "" """
    if not isinstance(call, ast.Call):
        return ""
    values = [each.value for each in call.keywords if each.arg == keyword]
    return str(values[0].value) if values and isinstance(values[0], ast.Constant) else ""


def _joined(group: str, name: str) -> str:
    return f"{group}.{name}" if group and name else group or name
