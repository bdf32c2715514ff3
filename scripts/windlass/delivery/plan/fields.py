"""Compares two pipelines task by task and field by field; every value that differs is in exactly one change."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from windlass.delivery.plan.impact import Impact, Kind, Subject, impact_of
from windlass.delivery.plan.shown import ABSENT, field_name, pair, without_secrets
from windlass.spec.resolved import Resolved

Path = tuple[str, ...]


@dataclass(frozen=True)
class FieldChange:
    """One field of a task, or of the pipeline itself where `task` is None; without a path the whole task came or went.

    What a secret would stand in is hidden in `before` and `after` already.
    """

    task: str | None
    path: Path
    kind: Kind
    impact: Impact
    before: Any = ABSENT
    after: Any = ABSENT

    def describe(self) -> str:
        """`task transform.score: job.execution_time 10 minutes -> 20 minutes`, with its sign."""
        sign = {"added": "+", "removed": "-"}.get(self.kind, "~")
        if not self.path:
            return f"{sign} task {field_name([*(self.task or '').split('.')])}"
        where = f"task {field_name((self.task or '').split('.'))}: " if self.task is not None else ""
        before, after = pair(self.before, self.after)
        values = {"added": after, "removed": before}.get(self.kind, f"{before} -> {after}")
        return f"{sign} {where}{field_name(self.path)} {values}"

    def as_json(self) -> dict[str, Any]:
        """The change for a machine; `before` or `after` is left out where there is nothing."""
        values = {"before": self.before, "after": self.after}
        return {
            "task": self.task,
            "field": field_name(self.path) or None,
            "change": self.kind,
            "impact": self.impact,
            **{name: value for name, value in values.items() if value is not ABSENT},
        }


def compare_fields(before: Resolved, after: Resolved) -> tuple[FieldChange, ...]:
    """What differs: the pipeline's own fields first, then each task's, by name."""
    changes = [_change(None, None, *found) for found in differences(before.dag, after.dag)]
    for task in sorted(before.tasks.keys() | after.tasks.keys()):
        old, new = before.tasks.get(task), after.tasks.get(task)
        if old is None or new is None:
            kind: Kind = "added" if old is None else "removed"
            changes.append(FieldChange(task, (), kind, impact_of(Subject(("task",), kind))))
        else:
            operator = new.get("operator_type") or old.get("operator_type")
            changes += [_change(task, operator, *found) for found in differences(old, new)]
    return tuple(changes)


def _change(task: str | None, operator: Any, path: Path, before: Any, after: Any) -> FieldChange:
    kind: Kind = "added" if before is ABSENT else "removed" if after is ABSENT else "changed"
    whole: Path = ("dag" if task is None else "task", *path)
    impact = impact_of(Subject(whole, kind, before, after, str(operator)))
    key = "/".join(path)
    return FieldChange(task, path, kind, impact, without_secrets(key, before), without_secrets(key, after))


def differences(
    before: Mapping[str, Any], after: Mapping[str, Any], path: Path = ()
) -> Iterator[tuple[Path, Any, Any]]:
    """The path of each value that differs, with what is there before and after; lists count as one value."""
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key, ABSENT), after.get(key, ABSENT)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from differences(old, new, (*path, key))
        elif old is ABSENT or new is ABSENT or _canonical(old) != _canonical(new):
            yield (*path, key), old, new


def _canonical(value: Any) -> str:
    """Tells apart what Python calls equal: true and 1, 1 and 1.0."""
    return json.dumps(value, sort_keys=True)
