"""Checks that the releases which an environment's states name still are what they say."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from windlass.delivery.place import Place
from windlass.delivery.release.archive import digest_of
from windlass.delivery.release.provenance import read_record
from windlass.delivery.release.signature import is_whole
from windlass.delivery.side_by_side import side_by_side
from windlass.spec.errors import DeliveryError
from windlass.spec.release import provenance_key, release_key
from windlass.spec.state import State
from windlass.spec.store import Missing

Progress = Callable[[str], None]
Name = tuple[str, str]
"""A release: the project and the digest."""


@dataclass(frozen=True)
class ReleasesCheck:
    """How many releases are there as named, how many were removed since (as a gc does), and what is wrong."""

    there: int
    removed: int
    faults: list[str]


def check_releases(
    place: Place, states: Mapping[int, State], *, deep: bool, progress: Progress = lambda message: None
) -> ReleasesCheck:
    """Looks for archive and provenance of each release in `states`; with `deep`, fetches each archive and hashes it.

    A release that is gone as a whole was removed by a gc, and that is no fault unless it is live.
    """
    commits: dict[Name, set[str]] = {}
    for state in states.values():
        for project, then in state.projects.items():
            commits.setdefault((project, then.release), set()).add(then.commit)
    live = states[max(states)] if states else None
    is_live = {(project, now.release) for project, now in live.projects.items()} if live else set()
    progress(f"looking for {len(commits)} releases in {place.prefix}/")
    archives = set(place.code.list(f"{place.prefix}/releases/"))
    records = set(place.code.list(f"{place.prefix}/provenance/"))
    faults: list[str] = []
    there: list[Name] = []
    for name, built_from in sorted(commits.items()):
        archive = release_key(place.prefix, *name)
        wanted = [provenance_key(place.prefix, *name, commit) for commit in sorted(built_from)]
        if archive not in archives and not records.intersection(wanted) and name not in is_live:
            continue
        there.append(name)
        faults += [f"{key} is missing: {_what(name)}" for key in (archive, *wanted) if key not in archives | records]
    present = [name for name in there if release_key(place.prefix, *name) in archives]
    kept = [(name, commit) for name in there for commit in sorted(commits[name])]
    faults += _flat(side_by_side(lambda one: _record_faults(place, *one), kept))
    if deep:
        progress(f"fetching {len(present)} archives")
        faults += _flat(side_by_side(lambda name: _archive_faults(place, name), present))
    return ReleasesCheck(len(there), len(commits) - len(there), faults)


def _record_faults(place: Place, name: Name, commit: str) -> list[str]:
    key = provenance_key(place.prefix, *name, commit)
    try:
        record = read_record(key, place.code.get(key).content)
    except Missing:
        return []  # told already
    except DeliveryError as error:
        return [str(error)]
    if record.signature is not None and not is_whole(record):
        return [f"{key} was altered: its signature does not fit it"]
    return []


def _archive_faults(place: Place, name: Name) -> list[str]:
    key = release_key(place.prefix, *name)
    try:
        digest = digest_of(place.code.get(key).content)
    except Missing:
        return []  # a gc removed it since it was listed
    return [] if digest == name[1] else [f"{key} was altered: its bytes have the SHA-256 {digest[:12]}"]


def _what(name: Name) -> str:
    project, digest = name
    return f"release {digest[:12]} of {project} was live here"


def _flat(lists: Iterable[list[str]]) -> list[str]:
    return [one for each in lists for one in each]
