"""Sets a hold on a project or a release in an environment, and takes it away again, in the state itself.

A hold that came between a promotion's check and its swap makes that swap fail: nothing overtakes it.
"""

from windlass.delivery.place import Place
from windlass.delivery.promotion.perform import SYSTEM_CLOCK, Author, Clock, Progress, Swap, swap_state, timestamp
from windlass.spec.environment import RuntimeSettings
from windlass.spec.state import Action, Deployment, Hold, State


def set_hold(
    place: Place,
    settings: RuntimeSettings,
    project: str,
    release: str | None,
    author: Author,
    *,
    clock: Clock = SYSTEM_CLOCK,
    progress: Progress = lambda message: None,
) -> Swap:
    """Nothing of `project` (or not `release`) may be promoted from now on; one that is on hold already stays so.

    `settings` are for an environment to which nothing was promoted yet.
    """

    def successor(state: State | None) -> State | None:
        if state is not None and find_hold(state, project, release):
            return None
        at = timestamp(clock.now())
        hold = Hold(project=project, release=release, reason=author.reason or "", actor=author.actor, at=at)
        return _successor(state, settings, [*(state.holds if state else []), hold], "hold", hold, author, at)

    return swap_state(place, successor, clock=clock, progress=progress)


def take_hold_away(
    place: Place,
    project: str,
    release: str | None,
    author: Author,
    *,
    clock: Clock = SYSTEM_CLOCK,
    progress: Progress = lambda message: None,
) -> Swap:
    """The project (or `release` of it) may be promoted again; without such a hold nothing changes.

    The environment must have a state.
    """

    def successor(state: State | None) -> State | None:
        hold = find_hold(state, project, release) if state else None
        if state is None or hold is None:
            return None
        rest = [other for other in state.holds if other != hold]
        return _successor(state, state.environment, rest, "release-hold", hold, author, timestamp(clock.now()))

    return swap_state(place, successor, clock=clock, progress=progress)


def find_hold(state: State, project: str, release: str | None) -> Hold | None:
    """The hold on exactly this, or None."""
    return next((hold for hold in state.holds if (hold.project, hold.release) == (project, release)), None)


def _successor(
    state: State | None,
    settings: RuntimeSettings,
    holds: list[Hold],
    action: Action,
    hold: Hold,
    author: Author,
    at: str,
) -> State:
    live = state.projects.get(hold.project) if state else None
    return State(
        serial=state.serial + 1 if state else 1,
        previous=state.name if state else None,
        environment=state.environment if state else settings,
        projects=state.projects if state else {},
        holds=holds,
        frozen=state.frozen if state else None,
        policy=state.policy if state else None,
        deployment=Deployment(
            action=action,
            project=hold.project,
            release=hold.release,
            commit=live.commit if live and live.release == hold.release else None,
            hold=hold,
            actor=author.actor,
            job_url=author.job_url,
            reason=author.reason,
            at=at,
        ),
    )
