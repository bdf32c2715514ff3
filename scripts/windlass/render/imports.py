"""The imports of a rendered module: exactly what its calls use."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from windlass.render.literal import Call, Code
from windlass.render.surroundings import Surroundings
from windlass.render.task import FOREIGN, MADE
from windlass.spec.pipeline import Pipeline

Import = tuple[str, list[tuple[str, str]]]
"""A module, and the names taken from it with those that they have here."""

_SDK = (
    "DAG",
    "Asset",
    "AssetAll",
    "AssetAny",
    "Param",
    "TaskGroup",
    "cross_downstream",
)
_RUNTIME: Mapping[str, str] = {
    **dict.fromkeys(("DeadlineAlert", "DeadlineReference", "SyncCallback"), "deadline"),
    "backoff": "backoff",
    "by_environment": "settings",
    "Checked": "checked",
    "Notifier": "notifier",
    "only_if": "conditions",
    "skip_if": "conditions",
}


def imports(pipeline: Pipeline, surroundings: Surroundings, said: list[Any]) -> list[list[Import]]:
    """The imports in their blocks; `said` is all that the module says."""
    used = {name for part in said for name in _used(part)} | {"DAG", "TaskGroup"}
    modules: dict[str, set[str]] = {"airflow.sdk": {name for name in _SDK if name in used}}
    classes = dict(_classes(pipeline, surroundings))
    for name in used:
        if name in classes:
            modules.setdefault(classes[name], set()).add(name)
        elif name in FOREIGN:
            modules.setdefault(FOREIGN[name], set()).add(name)
        elif name in MADE:
            modules.setdefault(f"{surroundings.project}.operators.{MADE[name]}", set()).add(name)
        elif name in _RUNTIME:
            modules.setdefault(f"{surroundings.project}.runtime.{_RUNTIME[name]}", set()).add(name)
    standard = [_import("datetime", used & {"datetime", "timedelta"}), _import("zoneinfo", {"ZoneInfo"})]
    return [standard, [_import(module, names) for module, names in sorted(modules.items())]]


def _import(module: str, names: set[str]) -> Import:
    return module, [(name, name) for name in sorted(names)]


def _classes(pipeline: Pipeline, surroundings: Surroundings) -> Iterator[tuple[str, str]]:
    """The classes of the tasks' operators, with their modules."""
    for task in pipeline.task_ids.values():
        if task.operator_type:
            operator = surroundings.catalog.operators.get(task.operator_type)
            if operator:
                yield operator.class_name, f"{surroundings.project}.operators.{task.operator_type}"
            else:
                module, _, name = task.operator_type.rpartition(".")
                yield name, module


def _used(value: Any) -> Iterator[str]:
    """The names that are called, or whose attributes are taken."""
    if isinstance(value, Call):
        yield value.function.partition(".")[0]
        for part in (*value.positional, *value.keywords.values(), value.then):
            yield from _used(part)
    elif isinstance(value, Code):
        yield value.partition(".")[0]
    elif isinstance(value, timedelta):
        yield "timedelta"
    elif isinstance(value, (dict, list)):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _used(part)
