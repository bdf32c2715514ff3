"""Carries a plan out, so that a crash between any two calls leaves the old state or the new one, never a mixture.

New immutable objects come first (models, release, provenance, `states/`), then the swap of `state.json`, then the
ledger. Everything before the swap is invisible; everything after it is completed by whoever comes next.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, takewhile

from windlass.delivery.gate.decide import keep_decision
from windlass.delivery.gate.origin import origin_after
from windlass.delivery.history.ledger import add_record, ledger_end
from windlass.delivery.history.states import (
    Current,
    keep_copy,
    load_current,
    pointer_key,
    require_if_absent,
    require_if_match,
)
from windlass.delivery.place import Place
from windlass.delivery.plain.lay_out import LaidOut, lay_out, require_free
from windlass.delivery.plan.plan import Plan
from windlass.delivery.promotion.carry import Cargo, carry_all
from windlass.delivery.promotion.models import copy_version, is_there
from windlass.delivery.promotion.survey import Decide
from windlass.delivery.release.find import states_from
from windlass.delivery.release.trust import Claim, carry_provenance
from windlass.spec.errors import DeliveryError, TransientError
from windlass.spec.release import release_key
from windlass.spec.state import Deployment, State
from windlass.spec.store import Conflict

ATTEMPTS = 40
"""How often a lost swap is tried again: each loss means that somebody else's deployment went through."""
_LONGEST_PAUSE = 2.0
_FRESH = timedelta(minutes=2)
"""A plan is made again where bringing over what it needs took longer: a gate may answer otherwise by then."""

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
    """The plan that was carried out and the state that is live now; `changed` is False when there was nothing to do.

    `laid_out` says what became of the files of a plain environment.
    """

    plan: Plan
    state: State
    changed: bool
    laid_out: LaidOut | None = None


@dataclass(frozen=True)
class Swap:
    """The state that is live now; `changed` is False when it was as wanted already. `laid_out` as in an Outcome."""

    state: State
    changed: bool
    laid_out: LaidOut | None = None


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

    DeliveryError when the plan is refused, or when the project was rolled back meanwhile, which a promotion that was
    under way must not undo. TransientError when the swap was lost again and again.
    """
    plans: list[Plan] = []
    seen: list[State | None] = []

    def successor(state: State | None) -> State | None:
        plan = decide(state)
        seen.append(state)
        if plan.action == "promote" and state is not None:
            _require_not_taken_back(target, plan.project, state, since=seen[0])
        plans.append(plan)
        if plan.refusals:
            raise DeliveryError(f"{plan.environment} stays as it is: {'; '.join(plan.refusals)}")
        came_from = source.name if source.name != target.name else None
        return None if plan.is_live else _successor(state, plan, author, came_from, clock.now())

    try:
        swap = swap_state(
            target, successor, lambda: _copy(plans[-1], source, target, progress), clock=clock, progress=progress
        )
    except DeliveryError:
        if target.plain and plans:  # what is live stays so, and its files may be half laid out
            with suppress(DeliveryError):
                lay_out(target, [plans[-1].project], sleep=clock.sleep, progress=progress)
        raise
    if not swap.changed and not plans[-1].is_done:
        _copy(plans[-1], source, target, progress)  # live already, and something that it needs is gone
    elif not swap.changed and target.signers:
        carry_provenance(source, target, _claim(plans[-1]))  # signed after it went live
    laid_out = lay_out(target, [plans[-1].project], sleep=clock.sleep, progress=progress) if target.plain else None
    return Outcome(plans[-1], swap.state, swap.changed, laid_out)


def _require_not_taken_back(target: Place, project: str, state: State, since: State | None) -> None:
    known = since.serial if since else 0
    for newer in takewhile(lambda one: one.serial > known, chain([state], states_from(target, state))):
        done = newer.deployment
        if done.action in ("rollback", "remove") and done.project in (None, project):
            what, who = done.project or "all of it", done.actor or "unknown"
            how = "rolled back" if done.action == "rollback" else "taken out"
            raise DeliveryError(
                f"{target.name} stays as it is: {what} was {how} by {who} ({newer.name}) while this promotion "
                "was under way; promote again if that is still wanted"
            )


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
    probed: set[bool] = set()
    for attempt in range(ATTEMPTS):
        current = load_current(target.code, target.prefix)
        last = ledger_end(target.code, target.prefix, current.state)
        state = successor(current.state)
        if state is None:
            assert current.state is not None
            return Swap(current.state, changed=False)
        if (current.etag is None) not in probed:
            _require_precondition(target, current)
            probed.add(current.etag is None)
        planned = clock.now()
        prepare()
        if clock.now() - planned > _FRESH:
            progress(f"what {target.name} needs is there; planning again, for that took a while")
            continue
        if target.plain:
            require_free(target, current.state, state)
        if _swap(target, state, current):
            progress(f"{target.name} is at state {state.name}")
            add_record(target.code, target.prefix, state, last)
            return Swap(state, changed=True)
        progress(f"{target.name} was changed by somebody else; planning again")
        clock.sleep(min(_LONGEST_PAUSE, 0.05 * 2 ** min(attempt, 6)) * _spread(state))
    raise TransientError(f"{target.name} is being changed all the time: lost {ATTEMPTS} times; try again in a moment")


def _require_precondition(target: Place, current: Current) -> None:
    """ServiceError unless the store honours the one precondition on which the swap will depend."""
    require = require_if_absent if current.etag is None else require_if_match
    require(target.code, target.prefix)


def timestamp(now: datetime) -> str:
    """`now` as states and verdicts write it."""
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def _copy(plan: Plan, source: Place, target: Place, progress: Progress) -> None:
    """Brings over what the target does not have: models, release, provenance."""
    for name in plan.copy_models:
        copy_version(source, target, name, plan.after.models[name], progress)
    if plan.copy_release:
        _copy_release(plan, source, target, progress)
    carry_provenance(source, target, _claim(plan))
    if plan.decision is not None:
        keep_decision(target, plan.decision)


def _copy_release(plan: Plan, source: Place, target: Place, progress: Progress) -> None:
    """Brings the archive over, whose SHA-256 is its name: what it holds was read and checked for the plan."""
    digest = plan.after.release
    here, there = (release_key(place.prefix, plan.project, digest) for place in (source, target))
    cargo = Cargo(
        f"release {digest[:12]} of {plan.project} in {source.name}", here, there, digest, None, is_wanting=True
    )
    (way,) = carry_all(source.code, target.code, [cargo])
    progress(f"copying release {digest[:12]}: {way}")


def _claim(plan: Plan) -> Claim:
    return Claim(plan.project, plan.after.release, plan.after.commit)


def _successor(state: State | None, plan: Plan, author: Author, source: str | None, now: datetime) -> State:
    return State(
        serial=state.serial + 1 if state else 1,
        previous=state.name if state else None,
        environment=plan.settings,
        projects={**(state.projects if state else {}), plan.project: plan.after},
        holds=[*(state.holds if state else []), *([plan.hold] if plan.hold else [])],
        frozen=state.frozen if state else None,
        policy=origin_after(state, plan.decision),
        deployment=Deployment(
            action=plan.action,
            project=plan.project,
            release=plan.after.release,
            commit=plan.after.commit,
            tag=plan.after.tag,
            replaces=plan.before.release if plan.before else None,
            hold=plan.hold,
            source=source,
            gate=plan.decision.digest if plan.decision else None,
            actor=author.actor,
            job_url=author.job_url,
            reason=author.reason,
            at=timestamp(now),
        ),
    )


def _swap(target: Place, state: State, current: Current) -> bool:
    """Writes the immutable copy, then the pointer. False when another deployment or a gc came first."""
    content = state.to_json()
    keep_copy(target.code, target.prefix, state)
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
