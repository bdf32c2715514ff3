"""What an apply would change in an environment's Airflow, decided from facts alone: nothing is read or written here.

A content is shown only when it is a literal of the environment's file: never a secret, and never what Airflow holds.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import SecretStr

from windlass.delivery.environment.owned import Owned, OwnedObject
from windlass.spec.airflow_object import MARK, MASK, MASKED, Key, Live, Wanted

Action = Literal["create", "change", "adopt", "delete", "forget"]
_SIGNS: dict[Action, str] = {"create": "+", "change": "~", "adopt": "~", "delete": "-", "forget": " "}
_LONGEST = 60


@dataclass(frozen=True)
class Step:
    """One object to change; `fields` are those that differ, `wanted` is None where it shall not be (kept)."""

    key: Key
    action: Action
    fields: tuple[str, ...] = ()
    reason: str | None = None
    wanted: Wanted | None = field(default=None, repr=False)

    @property
    def makes_anew(self) -> bool:
        """Whether the object must go and come again: Airflow's API takes no password away from a connection."""
        if self.wanted is None or self.action not in ("change", "adopt"):
            return False
        return "password" in self.fields and self.wanted.fields["password"] is None


@dataclass(frozen=True)
class EnvironmentPlan:
    """What would be done, deletions last; `conflicts` are objects that windlass must not touch, and why."""

    environment: str
    steps: tuple[Step, ...]
    conflicts: tuple[Key, ...]

    @property
    def is_done(self) -> bool:
        """Whether there is nothing to do and nothing in the way."""
        return not (self.steps or self.conflicts)

    @property
    def refusals(self) -> list[str]:
        """Why the objects in conflict stay as they are, and what to do about each."""
        return [
            f"{key} is in Airflow and not windlass's: remove it there, or take it over with --adopt {key.path}"
            for key in self.conflicts
        ]

    def describe(self, *, is_applied: bool = False) -> list[str]:
        """The plan in lines for a person, before or after it was carried out."""
        if self.is_done:
            return [f"{self.environment}: Airflow has all that is declared; nothing to do"]
        lines = [f"{self.environment}: {len(self.steps)} {'changed' if is_applied else 'to change'}"]
        lines += [_line(step) for step in self.steps]
        return lines + [f"  ! {refusal}" for refusal in self.refusals]

    def as_json(self) -> dict[str, object]:
        """The plan for a machine."""
        return {
            "environment": self.environment,
            "nothing_to_do": self.is_done,
            "steps": [_as_json(step) for step in self.steps],
            "conflicts": [{"kind": key.kind, "name": key.name} for key in self.conflicts],
        }


def plan_environment(
    environment: str,
    wanted: Sequence[Wanted],
    live: Mapping[Key, Live],
    owned: Owned,
    *,
    adopt: Collection[Key] = (),
    resend: bool = False,
) -> EnvironmentPlan:
    """The plan that makes Airflow hold what is `wanted`, touching only what is owned or is in `adopt`.

    With `resend`, all that Airflow may mask is sent again, whether it seems changed or not.
    """
    steps: list[Step] = []
    conflicts: list[Key] = []
    for one in wanted:
        there, entry = live.get(one.key), owned.objects.get(one.key.path)
        if there is None:
            fields = tuple(name for name in (*one.fields, *sorted(one.unresolved)) if _is_worth_showing(one, name))
            steps.append(Step(one.key, "create", fields, wanted=one))
        elif entry is not None and _is_ours(there, entry):
            fields = _differences(one, there, owned, entry, resend)
            if fields or not entry.settled:
                reason = None if entry.settled else "an earlier run did not finish it"
                steps.append(Step(one.key, "change", fields, reason, one))
        elif one.key in adopt:
            fields = _differences(one, there, owned, OwnedObject(created=False, settled=False), resend)
            steps.append(Step(one.key, "adopt", fields, "taken over", one))
        else:
            conflicts.append(one.key)
    declared = {one.key.path for one in wanted}
    gone = [_key(path) for path in owned.objects if path not in declared]
    steps += [_removal(key, live.get(key), owned.objects[key.path]) for key in gone]
    return EnvironmentPlan(environment, tuple(sorted(steps, key=_order)), tuple(sorted(conflicts)))


def _order(step: Step) -> tuple[bool, Key]:
    return step.action in ("delete", "forget"), step.key


def _key(path: str) -> Key:
    kind, _, name = path.partition("/")
    return Key(kind, name)  # type: ignore[arg-type]  # the record holds what Key.path wrote


def _is_ours(live: Live, entry: OwnedObject) -> bool:
    """Whether this very object is the kept one: one made by hand under the name of a kept one bears no mark.

    What is being taken over bears none yet, and its owner has said that it may be.
    """
    return live.is_marked or not (entry.created or entry.settled)


def _removal(key: Key, live: Live | None, entry: OwnedObject) -> Step:
    if live is None:
        return Step(key, "forget", reason="it is gone from Airflow")
    if not entry.created:
        return Step(key, "forget", reason="windlass had taken it over; it stays in Airflow")
    if not _is_ours(live, entry):
        return Step(key, "forget", reason="somebody else keeps it now; it stays in Airflow")
    return Step(key, "delete")


def _differences(wanted: Wanted, live: Live, owned: Owned, entry: OwnedObject, resend: bool) -> tuple[str, ...]:
    def differs(name: str) -> bool:
        content, there = wanted.fields[name], live.fields.get(name)
        if not _is_same(content, there, may_be_masked=name in MASKED[wanted.key.kind]):
            return True
        if content is None or name not in MASKED[wanted.key.kind]:
            return False
        return resend or not entry.settled or entry.sent.get(name) != owned.digest(wanted.key, name, content)

    return tuple(name for name in wanted.fields if differs(name))


def _is_same(content: SecretStr | None, there: SecretStr | None, *, may_be_masked: bool) -> bool:
    """Whether Airflow shows this content, as far as it shows any; it writes JSON in its own way."""
    wanted = content.get_secret_value() if content else ""
    found = there.get_secret_value() if there else ""
    if not may_be_masked:
        return wanted == found
    return wanted == found or bool(wanted and MASK in found) or (wanted != "" and _parsed(wanted) == _parsed(found))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _is_worth_showing(wanted: Wanted, name: str) -> bool:
    content = wanted.fields.get(name)
    return name in wanted.unresolved or (content is not None and content.get_secret_value() != MARK)


def _shown(step: Step, name: str) -> str | None:
    """The new content of a field, where a person may see it."""
    assert step.wanted is not None
    content = step.wanted.fields.get(name)
    return content.get_secret_value() if content is not None and name not in step.wanted.secret else None


def _line(step: Step) -> str:
    parts = [_part(step, name) for name in step.fields]
    reasons = [step.reason] if step.reason else []
    reasons += ["made anew, for it loses its password"] if step.makes_anew else []
    reason = f" ({'; '.join(reasons)})" if reasons else ""
    verb = f"{step.action} " if step.action == "forget" else ""
    return f"  {_SIGNS[step.action]} {verb}{step.key}{reason}" + (f": {', '.join(parts)}" if parts else "")


def _part(step: Step, name: str) -> str:
    assert step.wanted is not None
    if name in step.wanted.secret:
        return f"{name} (secret)"
    shown = _shown(step, name)
    if shown is None:
        return f"{name} (none)"
    text = shown if shown.isprintable() and shown.strip() == shown != "" else repr(shown)
    return f"{name} {text if len(text) <= _LONGEST else text[: _LONGEST - 3] + '...'}"


def _as_json(step: Step) -> dict[str, object]:
    secret = [name for name in step.fields if step.wanted and name in step.wanted.secret]
    return {
        "kind": step.key.kind,
        "name": step.key.name,
        "action": step.action,
        "reason": step.reason,
        "fields": {name: _shown(step, name) for name in step.fields if name not in secret},
        "secret_fields": secret,
    }
