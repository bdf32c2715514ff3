"""Where environments differ: the same call for each of them becomes one that chooses when Airflow reads the DAG."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from windlass.render.literal import Call, literal

_DEFAULTS: Mapping[str, Any] = {
    "description": None,
    "doc_md": None,
    "end_date": None,
    "dagrun_timeout": None,
    "deadline": None,
    "params": None,
    "on_failure_callback": None,
    "on_success_callback": None,
    "max_active_runs": None,
    "max_active_tasks": None,
    "tags": [],
    "retries": 0,
    "retry_delay": timedelta(minutes=5),
    "retry_exponential_backoff": False,
    "max_retry_delay": None,
    "execution_timeout": None,
    "pool": "default_pool",
    "pool_slots": 1,
    "priority_weight": 1,
    "trigger_rule": "all_success",
}
"""What Airflow takes where an argument is not given."""


def merged(usual: Call, others: Mapping[str, Call], defaults: Mapping[str, Mapping[str, Any]] | None = None) -> Call:
    """`usual` with a choice wherever the call of another environment differs.

    `defaults` are, by environment and for "" the usual ones, what the DAG gives every task that does not say itself.
    """
    keywords: dict[str, Any] = {}
    for name in dict.fromkeys([*usual.keywords, *(name for call in others.values() for name in call.keywords)]):
        values = {"": usual, **others}
        found = {
            where: call.keywords[name] if name in call.keywords else _default(name, (defaults or {}).get(where, {}))
            for where, call in values.items()
        }
        keywords[name] = _choice(found.pop(""), found)
    then = merged(usual.then, {name: call.then for name, call in others.items() if call.then}) if usual.then else None
    positional = [
        _choice(value, {name: call.positional[i] for name, call in others.items()})
        for i, value in enumerate(usual.positional)
    ]
    return replace(usual, positional=positional, keywords=keywords, then=then)


def _default(name: str, defaults: Mapping[str, Any]) -> Any:
    return defaults.get(name, _DEFAULTS.get(name))


def _choice(usual: Any, others: Mapping[str, Any]) -> Any:
    """`usual` where nothing differs, else the call that chooses; mappings of equal keys are looked into."""
    differing = {name: value for name, value in others.items() if literal(value) != literal(usual)}
    if not differing:
        return usual
    if isinstance(usual, dict) and all(isinstance(v, dict) and v.keys() == usual.keys() for v in others.values()):
        return {key: _choice(item, {name: value[key] for name, value in others.items()}) for key, item in usual.items()}
    if isinstance(usual, Call) and all(_is_like(usual, value) for value in others.values()):
        return merged(usual, others)
    return Call("by_environment", [usual], differing)


def _is_like(usual: Call, other: Any) -> bool:
    """Whether both are the same file with checks: then only the checks that differ are chosen."""
    return usual.function == "Checked" and isinstance(other, Call) and other.function == "Checked"
