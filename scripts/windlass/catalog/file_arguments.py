"""Which arguments of a task may be paths of files: `sql` everywhere, and those that Airflow would take for files."""

import ast
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from windlass.catalog.operator import Operator
from windlass.spec.file_value import endings_of, with_files

if TYPE_CHECKING:
    from windlass.catalog.class_values import ClassValues


def file_endings(argument: str, operator: Operator | None) -> tuple[str, ...]:
    """The endings by which a text given for an argument of the operator is a file's path; () where it never is."""
    own = operator.endings.get(argument, ()) if operator else ()
    return tuple(dict.fromkeys((*endings_of(argument), *own)))


def arguments_with_files(arguments: Mapping[str, Any], operator: Operator | None) -> dict[str, Any]:
    """The arguments of a task with `{file: PATH}` wherever one is a file's path: `sql: sql/clients.sql`."""
    return {name: with_files(value, file_endings(name, operator)) for name, value in arguments.items()}


def template_endings(class_name: str, values: "ClassValues") -> dict[str, tuple[str, ...]]:
    """By its `template_fields` the endings with which Airflow would take a text for a file: its `template_ext`."""
    fields, endings = (_texts(values.nodes.get((class_name, name))) for name in ("template_fields", "template_ext"))
    endings = tuple(ending for ending in endings if ending.startswith(".") and len(ending) > 1)
    return dict.fromkeys(fields, endings) if endings else {}


def _texts(node: ast.expr | None) -> tuple[str, ...]:
    try:
        found = ast.literal_eval(node) if node is not None else ()
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return ()
    found = [found] if isinstance(found, str) else found
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, (list, tuple)) else ()
