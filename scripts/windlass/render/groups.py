"""The `with` blocks of a rendered module: groups in groups, entered again where a task needs one of another group."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from windlass.render.literal import Call, Reference
from windlass.render.steps import Steps, group_of
from windlass.spec.follow import parents


@dataclass(frozen=True)
class Line:
    """A line at a depth of `with` blocks: one that opens a block, an assignment, or with neither an empty line."""

    depth: int = 0
    opening: Call | Reference | None = None
    variable: str | None = None
    call: Call | None = None


def lines(steps: Steps) -> list[Line]:
    """The groups and tasks as written, but each task after those whose outputs it takes."""
    order = list(_defined_first(steps.calls, steps.names))
    drafts = list(_drafts(order))
    again = {group for _, group, is_new in drafts if group and not is_new}
    found: list[Line] = []
    depth = 0
    for step_or_depth, group, is_new in drafts:
        if group:
            depth = int(step_or_depth)
            opening = Call("TaskGroup", keywords={"group_id": group.rpartition(".")[2]})
            variable = steps.names[group] if group in again else None
            if found and not found[-1].opening:
                found.append(Line())
            found.append(Line(depth, opening, variable) if is_new else Line(depth, Reference(steps.names[group])))
            continue
        step = str(step_or_depth)
        inside = int(is_new)
        if found[-1].call and inside != found[-1].depth:
            found.append(Line())
        found.append(Line(inside, None, steps.names[step], steps.calls[step]))
    return found


def _drafts(order: Sequence[str]) -> Iterator[tuple[Any, str, Any]]:
    """For each block its depth, group and whether it is new; for each task itself, no group and its depth."""
    made: set[str] = set()
    entered: list[str] = []
    for step in order:
        target = group_of(step)
        while entered and not f"{target}.".startswith(f"{entered[-1]}."):
            entered.pop()
        missing = [
            path for path in [*parents(target), target] if not (entered and f"{entered[-1]}.".startswith(f"{path}."))
        ]
        known = [path for path in missing if path in made]
        if known:
            entered.append(known[-1])
            yield len(entered), known[-1], False
        for path in missing[missing.index(known[-1]) + 1 if known else 0 :]:
            entered.append(path)
            made.add(path)
            yield len(entered), path, True
        yield step, "", len(entered) + 1


def taken(call: Any) -> Iterator[str]:
    """The variables whose outputs a call takes."""
    if isinstance(call, str):
        return
    if isinstance(call, Reference):
        yield call.variable
    elif isinstance(call, Call):
        for part in (*call.positional, *call.keywords.values(), call.then):
            yield from taken(part)
    elif isinstance(call, (dict, list)):
        for part in call.values() if isinstance(call, dict) else call:
            yield from taken(part)


def _defined_first(calls: Mapping[str, Call], names: Mapping[str, str]) -> Iterator[str]:
    """The tasks as written, but a variable is assigned before it is used."""
    ids = list(calls)
    steps = {names[step]: step for step in ids}
    index = {step: i for i, step in enumerate(ids)}
    waiting = {step: {steps[variable] for variable in taken(call)} for step, call in calls.items()}
    users: dict[str, list[str]] = {}
    for step, sources in waiting.items():
        for source in sources:
            users.setdefault(source, []).append(step)
    ready = [index[step] for step, sources in waiting.items() if not sources]
    heapq.heapify(ready)
    while ready:
        step = ids[heapq.heappop(ready)]
        yield step
        for user in users.get(step, []):
            waiting[user].discard(step)
            if not waiting[user]:
                heapq.heappush(ready, index[user])
