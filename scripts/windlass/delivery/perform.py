"""Carries a plan out, so that a crash between any two calls leaves the old state or the new one, never a mixture.

New immutable objects come first (models, release, provenance, `states/`), then the swap of `state.json`, then the
ledger. Everything before the swap is invisible; everything after it is completed by whoever comes next.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from windlass.delivery.archive import read_archive
from windlass.delivery.ledger import complete_ledger
from windlass.delivery.models import copy_version, is_there
from windlass.delivery.place import Place
from windlass.delivery.plan import Plan
from windlass.delivery.provenance import keep_provenance, list_provenance
from windlass.delivery.states import Current, copy_key, load_current, pointer_key, require_preconditions
from windlass.delivery.survey import Decide, fetch_release
from windlass.spec.errors import DeliveryError, TransientError
from windlass.spec.release import release_key
from windlass.spec.state import Deployment, State
from windlass.spec.store import Conflict

ATTEMPTS = 40
"""How often a lost swap is tried again: each loss means that somebody else's deployment went through."""
_LONGEST_PAUSE = 2.0

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Author:
    """Who makes the change, from where and why; None where that is not known."""

    actor: str | None = None
    job_url: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Clock:
    """The time, and a way to let some of it pass."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep


SYSTEM_CLOCK = Clock()


@dataclass(frozen=True)
class Outcome:
    """The plan that was carried out and the state that is live now; `changed` is False when there was nothing to do."""

    plan: Plan
    state: State
    changed: bool


@dataclass(frozen=True)
class Swap:
    """The state that is live now; `changed` is False when it was as wanted already."""

    state: State
    changed: bool


def perform(
    decide: Decide,
    source: Place,
    target: Place,
    author: Author,
    *,
    clock: Clock = SYSTEM_CLOCK,
    progress: Progress = lambda message: None,
) -> Outcome:
    """Makes the plan and carries it out; plans again whenever another deployment came first.

    DeliveryError when the plan is refused; TransientError when the swap was lost again and again.
    """
    plans: list[Plan] = []

    def successor(state: State | None) -> State | None:
        plan = decide(state)
        plans.append(plan)
        if plan.refusals:
            raise DeliveryError(f"{plan.environment} stays as it is: {'; '.join(plan.refusals)}")
        return None if plan.is_live else _successor(state, plan, author, clock.now())

    swap = swap_state(
        target, successor, lambda: _copy(plans[-1], source, target, progress), clock=clock, progress=progress
    )
    if not swap.changed and not plans[-1].is_done:
        _copy(plans[-1], source, target, progress)  # live already, and something that it needs is gone
    return Outcome(plans[-1], swap.state, swap.changed)


def swap_state(
    target: Place,
    successor: Callable[[State | None], State | None],
    prepare: Callable[[], None] = lambda: None,
    *,
    clock: Clock = SYSTEM_CLOCK,
    progress: Progress = lambda message: None,
) -> Swap:
    """Puts the `successor` of the live state in its place: made again whenever somebody else's change came first.

    None from `successor` means that the live state is as wanted. `prepare` brings what the successor needs, before it.
    """
    probed = False
    for attempt in range(ATTEMPTS):
        current = load_current(target.code, target.prefix)
        complete_ledger(target.code, target.prefix, current.state)
        state = successor(current.state)
        if state is None:
            assert current.state is not None
            return Swap(current.state, changed=False)
        if not probed:
            require_preconditions(target.code, target.prefix)
            probed = True
        prepare()
        if _swap(target, state, current):
            progress(f"{target.name} is at state {state.name}")
            complete_ledger(target.code, target.prefix, state)
            return Swap(state, changed=True)
        progress(f"{target.name} was changed by somebody else; planning again")
        clock.sleep(min(_LONGEST_PAUSE, 0.05 * 2 ** min(attempt, 6)) * _spread(state))
    raise TransientError(f"{target.name} is being changed all the time: lost {ATTEMPTS} times; try again in a moment")


def timestamp(now: datetime) -> str:
    """`now` as states and verdicts write it."""
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def _copy(plan: Plan, source: Place, target: Place, progress: Progress) -> None:
    """Brings over what the target does not have: models, release, provenance."""
    for name in plan.copy_models:
        progress(f"copying model {name}, version {plan.after.models[name]}")
        copy_version(source, target, name, plan.after.models[name])
    if plan.copy_release:
        progress(f"copying release {plan.after.release[:12]}")
        content = fetch_release(source, plan.project, plan.after.release)
        read_archive(plan.project, plan.after.release, content)  # DeliveryError before a byte of it is written
        target.code.put(release_key(target.prefix, plan.project, plan.after.release), content)
    if source.name != target.name:
        for record in list_provenance(source, plan.project, digest=plan.after.release, commit=plan.after.commit):
            keep_provenance(target, record)


def _successor(state: State | None, plan: Plan, author: Author, now: datetime) -> State:
    return State(
        serial=state.serial + 1 if state else 1,
        previous=state.name if state else None,
        environment=plan.settings,
        projects={**(state.projects if state else {}), plan.project: plan.after},
        holds=[*(state.holds if state else []), *([plan.hold] if plan.hold else [])],
        deployment=Deployment(
            action=plan.action,
            project=plan.project,
            release=plan.after.release,
            commit=plan.after.commit,
            tag=plan.after.tag,
            replaces=plan.before.release if plan.before else None,
            hold=plan.hold,
            actor=author.actor,
            job_url=author.job_url,
            reason=author.reason,
            at=timestamp(now),
        ),
    )


def _swap(target: Place, state: State, current: Current) -> bool:
    """Writes the immutable copy, then the pointer. False when another deployment or a gc came first."""
    content = state.to_json()
    target.code.put(copy_key(target.prefix, state.name), content)
    before = current.state.projects if current.state else {}
    if not all(is_there(target, name, live) for name, live in state.projects.items() if before.get(name) != live):
        return False  # from here on a gc sees the new state and keeps what it names
    try:
        target.code.put(pointer_key(target.prefix), content, if_match=current.etag, if_absent=current.etag is None)
    except Conflict:
        live = load_current(target.code, target.prefix).state
        return live is not None and live.name == state.name  # our own write, whose answer got lost
    return True


def _spread(state: State) -> float:
    """Between 0.5 and 1.5, different for each deployment: those who lost together do not come back together."""
    return 0.5 + int(state.name.rpartition("-")[2][:4], 16) / 0xFFFF
