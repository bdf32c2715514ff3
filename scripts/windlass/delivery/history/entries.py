"""What a history tells beside each record: the merge request that its release came from, and the verdict about it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from windlass.delivery.place import Place
from windlass.delivery.release.provenance import read_record
from windlass.delivery.side_by_side import side_by_side
from windlass.delivery.verification.verdicts import load_verdicts
from windlass.spec.errors import DeliveryError
from windlass.spec.moment import read_timestamp
from windlass.spec.release import provenance_key
from windlass.spec.state import Deployment, LedgerRecord
from windlass.spec.store import Missing
from windlass.spec.verdict import Verdict

_SKEWED = 16
_Release = tuple[str, str, str]


@dataclass(frozen=True)
class About:
    """What is known of a release; `merge_request` is None where its provenance names none or is gone."""

    merge_request: dict[str, Any] | None = None
    verdict: Verdict | None = None
    faults: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A record of the ledger; `about` is None where it made no release live: a hold, or a whole environment back."""

    record: LedgerRecord
    about: About | None


def choose(
    records: Iterable[LedgerRecord | str], project: str | None, since: datetime | None, limit: int
) -> tuple[list[LedgerRecord], list[str]]:
    """The first `limit` of `records` (newest first) that are meant, and what is wrong with others met on the way.

    What concerned the whole environment concerned `project` too. Clocks of runners differ a little: one record from
    before `since` does not end the search, several on end do.
    """
    chosen: list[LedgerRecord] = []
    faults: list[str] = []
    older = 0
    for record in records:
        if isinstance(record, str):
            faults.append(record)
            continue
        came = read_timestamp(record.deployment.at)
        older = older + 1 if since and came and came < since else 0
        if older > _SKEWED:
            break
        if not older and project in (None, record.deployment.project or project):
            chosen.append(record)
        if len(chosen) == limit:
            break
    return chosen, faults


def read_entries(place: Place, records: Sequence[LedgerRecord]) -> list[Entry]:
    """An entry for each of `records`: two requests for each different release among them."""
    wanted = sorted({release for record in records if (release := _release(record.deployment))})
    found = dict(zip(wanted, side_by_side(lambda release: _about(place, *release), wanted), strict=True))
    return [Entry(record, found.get(_release(record.deployment) or ("", "", ""))) for record in records]


def _release(done: Deployment) -> _Release | None:
    if done.action not in ("promote", "rollback") or not (done.project and done.release):
        return None
    return done.project, done.release, done.commit or ""


def _about(place: Place, project: str, digest: str, commit: str) -> About:
    faults: list[str] = []
    merge_request, verdict = None, None
    key = provenance_key(place.prefix, project, digest, commit)
    try:
        merge_request = read_record(key, place.code.get(key).content).merge_request
    except Missing:
        pass
    except DeliveryError as error:
        faults.append(str(error))
    try:
        verdict = load_verdicts(place, project, digest).decisive
    except DeliveryError as error:
        faults.append(str(error))
    return About(merge_request, verdict, tuple(faults))
