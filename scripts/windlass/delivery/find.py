"""Finds a release again from S3 alone: where it was published, by commit or digest; where it lived, by any name."""

import re
from collections.abc import Iterator

from windlass.delivery.place import Place
from windlass.delivery.provenance import list_provenance
from windlass.delivery.states import load_current, load_named
from windlass.spec.errors import DeliveryError
from windlass.spec.release import Provenance
from windlass.spec.state import ProjectState, State

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
    history = list(_lives(place, project))
    if not history:
        raise DeliveryError(f"{project} was never promoted to {place.name}; there is nothing to go back to")
    if name == "previous":
        return _previous(place, project, history)
    for live, _ in history:
        is_commit = _COMMIT_PREFIX.fullmatch(name) and live.commit.startswith(name)
        is_digest = _DIGEST_PREFIX.fullmatch(name) and live.release.startswith(name)
        if live.tag == name or is_commit or is_digest:
            return live
    known = list(dict.fromkeys(live.tag or live.commit[:12] for live, _ in history))
    shown = ", ".join(known[:8])
    raise DeliveryError(f"{name!r} was never live as {project} in {place.name}; these were, newest first: {shown}")


def _previous(place: Place, project: str, history: list[tuple[ProjectState, str]]) -> ProjectState:
    """What the last promotion replaced; after a rollback that is live already, so that asking twice changes nothing."""
    live, action = history[0]
    if action == "rollback":
        return live
    for earlier, _ in history[1:]:
        if earlier.release != live.release:
            return earlier
    raise DeliveryError(f"{project} has had one release only in {place.name}; there is nothing to go back to")


def _lives(place: Place, project: str) -> Iterator[tuple[ProjectState, str]]:
    """Each change of the project, newest first, with the action that made it."""
    for state in states(place):
        if state.deployment.project == project and project in state.projects:
            yield state.projects[project], state.deployment.action


def states(place: Place) -> Iterator[State]:
    """All states of the environment, newest first."""
    state = load_current(place.code, place.prefix).state
    while state is not None:
        yield state
        state = load_named(place.code, place.prefix, state.previous) if state.previous else None


def _provenance_of(place: Place, project: str, live: ProjectState) -> Provenance:
    found = list_provenance(place, project, digest=live.release, commit=live.commit)
    if not found:
        raise DeliveryError(f"release {live.release[:12]} of {project} has no provenance in {place.name}")
    return found[-1]
