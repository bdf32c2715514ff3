"""Keeps what verifications found out: all verdicts about a release in an environment, in one object, newest first."""

import json

from windlass.delivery.place import Place
from windlass.spec.errors import DeliveryError, TransientError
from windlass.spec.store import Conflict, Missing, Object
from windlass.spec.stored import content_of, read_stored
from windlass.spec.verdict import Verdict, Verdicts, verdicts_key

KEPT = 50
"""How many verdicts are kept; the one that counts always is."""
_ATTEMPTS = 10


def load_verdicts(place: Place, project: str, digest: str) -> Verdicts:
    """The verdicts about the release in the environment; none yet is an empty list."""
    return _load(place, project, digest)[0]


def record_verdict(place: Place, project: str, digest: str, verdict: Verdict) -> Verdicts:
    """Adds `verdict` to those about the release. Two that end at once are both kept, in the order of their time.

    Those that were there before it stay behind it, whatever the clocks of the machines that gave them say.
    """
    key = verdicts_key(place.prefix, project, digest)
    earlier: list[Verdict] | None = None
    for _ in range(_ATTEMPTS):
        found, etag = _load(place, project, digest)
        if verdict in found.verdicts:  # the answer to our own write got lost
            return found
        earlier = found.verdicts if earlier is None else earlier
        at_once = [verdict, *(one for one in found.verdicts if one not in earlier)]
        every = [*sorted(at_once, key=lambda one: one.at, reverse=True), *earlier]
        verdicts = Verdicts(project=project, release=digest, verdicts=every)
        shown = every[:KEPT]
        if verdicts.decisive not in shown and verdicts.decisive is not None:
            shown = [*shown[:-1], verdicts.decisive]
        verdicts = verdicts.model_copy(update={"verdicts": shown})
        content = json.dumps(content_of(verdicts), sort_keys=True, indent=1) + "\n"
        try:
            place.code.put(key, content.encode(), if_match=etag, if_absent=etag is None)
        except Conflict:
            continue
        return verdicts
    raise TransientError(f"{key} is being written all the time; try again in a moment")


def _load(place: Place, project: str, digest: str) -> tuple[Verdicts, str | None]:
    key = verdicts_key(place.prefix, project, digest)
    try:
        found = place.code.get(key)
    except Missing:
        return Verdicts(project=project, release=digest, verdicts=[]), None
    verdicts = _read(key, found)
    if (verdicts.project, verdicts.release) != (project, digest):
        raise DeliveryError(f"{key} was altered: it is about release {verdicts.release[:12]} of {verdicts.project}")
    return verdicts, found.etag


def _read(key: str, found: Object) -> Verdicts:
    return read_stored(Verdicts, found.content, f"{key} cannot be read")
