"""Finds a release again from S3 alone: where it was published, by commit or digest; where it lived, by any name."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise

from windlass.delivery.history.backwards import earlier_states
from windlass.delivery.history.states import load_current
from windlass.delivery.place import Place
from windlass.delivery.release.provenance import list_provenance
from windlass.spec.errors import DeliveryError
from windlass.spec.release import Provenance
from windlass.spec.review import is_review
from windlass.spec.state import Deployment, ProjectState, State

_DIGEST_PREFIX = re.compile(r"[0-9a-f]{8,64}")
_COMMIT_PREFIX = re.compile(r"[0-9a-f]{7,64}")


def published_from(place: Place, project: str, commit: str) -> Provenance:
    """The release that was built from `commit` (the newest, when it was built again)."""
    found = list_provenance(place, project, commit=commit)
    commits = {record.commit for record in found}
    if not found:
        raise DeliveryError(
            f"there is no release of {project} from commit {commit[:12]} in {place.name}; "
            "run windlass release for it, or promote it to the environments before"
        )
    if len(commits) > 1:
        raise DeliveryError(f"commit {commit!r} stands for {len(commits)} commits of {project}; give more digits")
    return found[-1]


def published_as(place: Place, project: str, digest: str) -> Provenance:
    """The release whose digest begins with `digest`."""
    if not _DIGEST_PREFIX.fullmatch(digest):
        raise DeliveryError(f"{digest!r} is not a digest; give at least 8 hex digits of the release's name")
    found = list_provenance(place, project, digest=digest)
    releases = sorted({record.release for record in found})
    if not releases:
        raise DeliveryError(f"there is no release of {project} whose digest begins with {digest} in {place.name}")
    if len(releases) > 1:
        raise DeliveryError(f"digest {digest} stands for {len(releases)} releases of {project}; give more digits")
    return found[-1]


def published_tagged(place: Place, project: str, tag: str) -> Provenance:
    """The release that was promoted or built as `tag` in the environment."""
    for state in states(place):
        live = state.projects.get(project)
        if live is not None and live.tag == tag:
            return _provenance_of(place, project, live)
    found = [record for record in list_provenance(place, project) if record.tag == tag]
    if not found:
        raise DeliveryError(f"there is no release of {project} with tag {tag!r} in {place.name}; give its --commit")
    return found[-1]


def require_lived(place: Place, project: str, digest: str) -> None:
    """DeliveryError unless the release was live in the environment once: no release skips one."""
    if not any(project in state.projects and state.projects[project].release == digest for state in states(place)):
        raise DeliveryError(
            f"release {digest[:12]} of {project} was never live in {place.name}; promote it there first"
        )


def lived(place: Place, project: str, name: str) -> ProjectState:
    """The release that was once live and is meant by `name`: `previous`, a tag, a commit or a digest's beginning."""
    history = _lives(place, project)  # read as far as needed: one request for each state
    if name == "previous":
        return _previous(place, project, history)
    seen: list[ProjectState] = []
    for live, _ in history:
        seen.append(live)
        is_commit = _COMMIT_PREFIX.fullmatch(name) and live.commit.startswith(name)
        is_digest = _DIGEST_PREFIX.fullmatch(name) and live.release.startswith(name)
        if live.tag == name or is_commit or is_digest:
            return live
    if not seen:
        raise DeliveryError(_never(place, project))
    known = list(dict.fromkeys(live.tag or live.commit[:12] for live in seen))
    shown = ", ".join(known[:8])
    raise DeliveryError(f"{name!r} was never live as {project} in {place.name}; these were, newest first: {shown}")


def _never(place: Place, project: str) -> str:
    return f"{project} was never promoted to {place.name}; there is nothing to go back to"


def _previous(place: Place, project: str, history: Iterator[tuple[ProjectState, str]]) -> ProjectState:
    """What the last promotion replaced; after a rollback that is live already, so that asking twice changes nothing."""
    newest = next(history, None)
    if newest is None:
        raise DeliveryError(_never(place, project))
    live, action = newest
    if action == "rollback":
        return live
    for earlier, _ in history:
        if earlier.release != live.release:
            return earlier
    raise DeliveryError(f"{project} has had one release only in {place.name}; there is nothing to go back to")


def _lives(place: Place, project: str) -> Iterator[tuple[ProjectState, str]]:
    """Each change of the project, newest first, with the action that made it."""
    for state, before in pairwise(chain(states(place), [None])):
        live = state.projects.get(project) if state else None
        if state is not None and live is not None and (before is None or before.projects.get(project) != live):
            yield live, state.deployment.action


def became_live(place: Place, state: State, project: str, *, settings: bool = False) -> State:
    """The state that made the release live that the project has in `state`; with `settings`, under its settings too."""
    became, live = state, state.projects.get(project)
    for earlier in states_from(place, state):
        before = earlier.projects.get(project)
        if (before.release if before else None) != (live.release if live else None):
            break
        if settings and earlier.environment != state.environment:
            break
        became = earlier
    return became


def replaced_by(place: Place, state: State, project: str) -> State | None:
    """The newest state before `state` in which the project had another release that is not on hold, or None."""
    live = state.projects[project].release
    held = {hold.release for hold in state.holds if hold.project == project}
    for earlier in states_from(place, state):
        before = earlier.projects.get(project)
        if before is not None and before.release != live and before.release not in held:
            return earlier
    return None


def state_meant(place: Place, name: str) -> State:
    """The state that is meant by `name`: a serial, a state's name, or `previous`: before the last promotion.

    After a rollback `previous` is what is live already, so that asking twice changes nothing.
    """
    history = list(states(place))
    if not history:
        raise DeliveryError(f"nothing was ever promoted to {place.name}; there is nothing to go back to")
    if name == "previous":
        return _state_before(place, history)
    for state in history:
        if name in (state.name, str(state.serial)):
            return state
    shown = ", ".join(state.name for state in history[:8])
    raise DeliveryError(f"{place.name} never had a state {name!r}; these it had, newest first: {shown}")


def _state_before(place: Place, history: list[State]) -> State:
    live = history[0]
    last = next((state for state in history if _moves_a_project(state.deployment)), live)
    if last.deployment.action == "rollback":
        return live
    for earlier in history:
        if (_without_reviews(earlier), earlier.environment) != (_without_reviews(live), live.environment):
            return earlier
    raise DeliveryError(f"{place.name} has had one state only; there is nothing to go back to")


def any_release(places: Sequence[Place], project: str, name: str) -> str:
    """The digest of the release that `name` means in any of `places`: a tag, a commit or a digest's beginning."""
    found: dict[str, str] = {}
    for place in places:
        for record in list_provenance(place, project):
            is_commit = _COMMIT_PREFIX.fullmatch(name) and record.commit.startswith(name)
            is_digest = _DIGEST_PREFIX.fullmatch(name) and record.release.startswith(name)
            if is_commit or is_digest or record.tag == name:
                found[record.release] = record.commit
        found |= {
            live.release: live.commit
            for live in (state.projects.get(project) for state in states(place))
            if live is not None and live.tag == name
        }
    if len(found) == 1:
        return next(iter(found))
    if found:
        known = ", ".join(digest[:12] for digest in sorted(found))
        raise DeliveryError(f"{name!r} stands for {len(found)} releases of {project}: {known}; give one of these")
    where = " or ".join(place.name for place in places)
    raise DeliveryError(f"there is no release {name!r} of {project} in {where}; give a tag, a commit or a digest")


def states(place: Place) -> Iterator[State]:
    """All states of the environment, newest first."""
    live = load_current(place.code, place.prefix).state
    if live is not None:
        yield live
        yield from states_from(place, live)


def states_from(place: Place, state: State) -> Iterator[State]:
    """The states before `state`, newest first."""
    return earlier_states(place.code, place.prefix, state)


def _provenance_of(place: Place, project: str, live: ProjectState) -> Provenance:
    found = list_provenance(place, project, digest=live.release, commit=live.commit)
    if not found:
        raise DeliveryError(f"release {live.release[:12]} of {project} has no provenance in {place.name}")
    return found[-1]


def _moves_a_project(done: Deployment) -> bool:
    return done.action in ("promote", "rollback") and not is_review(done.project or "")


def _without_reviews(state: State) -> dict[str, ProjectState]:
    """What a whole environment goes back to: reviews come and go by themselves."""
    return {name: live for name, live in state.projects.items() if not is_review(name)}
