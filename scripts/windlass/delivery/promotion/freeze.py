"""Stops the line: while an environment is frozen, nothing of any project is promoted to it; a rollback always may.

The switch is in the state itself, as a hold is: no promotion that was checked before overtakes it.
"""

from windlass.delivery.place import Place
from windlass.delivery.promotion.perform import SYSTEM_CLOCK, Author, Clock, Progress, Swap, swap_state, timestamp
from windlass.spec.environment import RuntimeSettings
from windlass.spec.evidence import Frozen
from windlass.spec.state import Action, Deployment, State


def freeze(
    place: Place,
    settings: RuntimeSettings,
    author: Author,
    *,
    clock: Clock = SYSTEM_CLOCK,
    progress: Progress = lambda message: None,
) -> Swap:
    """Freezes the environment; one that is frozen already stays so. `settings` are for one that has no state yet."""

    def successor(state: State | None) -> State | None:
        if state is not None and state.frozen is not None:
            return None
        at = timestamp(clock.now())
        frozen = Frozen(reason=author.reason or "", actor=author.actor, at=at)
        return _successor(state, settings, frozen, "hold", author, at)

    return swap_state(place, successor, clock=clock, progress=progress)


def unfreeze(
    place: Place,
    author: Author,
    *,
    clock: Clock = SYSTEM_CLOCK,
    progress: Progress = lambda message: None,
) -> Swap:
    """Lets promotions in again; where it is not frozen nothing changes. The environment must have a state."""

    def successor(state: State | None) -> State | None:
        if state is None or state.frozen is None:
            return None
        return _successor(state, state.environment, None, "release-hold", author, timestamp(clock.now()))

    return swap_state(place, successor, clock=clock, progress=progress)


def _successor(
    state: State | None, settings: RuntimeSettings, frozen: Frozen | None, action: Action, author: Author, at: str
) -> State:
    """`action` is one that earlier versions know: a state that they cannot read would stop their Airflow's bundle."""
    return State(
        serial=state.serial + 1 if state else 1,
        previous=state.name if state else None,
        environment=state.environment if state else settings,
        projects=state.projects if state else {},
        holds=state.holds if state else [],
        frozen=frozen,
        policy=state.policy if state else None,
        deployment=Deployment(
            action=action, project=None, actor=author.actor, job_url=author.job_url, reason=author.reason, at=at
        ),
    )
