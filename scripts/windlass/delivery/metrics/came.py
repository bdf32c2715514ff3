"""Which releases came live in an environment, one after another: read from its ledger, verdicts and provenance."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from windlass.delivery.history.entries import choose
from windlass.delivery.history.ledger import newest_first
from windlass.delivery.history.states import load_current, load_named
from windlass.delivery.place import Place
from windlass.delivery.release.provenance import read_record
from windlass.delivery.side_by_side import side_by_side
from windlass.delivery.verification.verdicts import load_verdicts
from windlass.spec.errors import DeliveryError
from windlass.spec.moment import read_timestamp
from windlass.spec.release import provenance_key
from windlass.spec.review import is_review
from windlass.spec.state import LedgerRecord, ProjectState
from windlass.spec.store import Missing
from windlass.spec.verdict import Verdict

_ALL = 10**9
Moments = Callable[[str | None, str], Iterable[tuple[str, datetime]]]
"""The commits that a commit has and the one before it has not, with their times; nothing where they are unknown."""


@dataclass(frozen=True)
class Came:
    """A release of a project that came live with the state number `serial`; no release: the project went.

    `is_back` where an environment went back to it. `changes` are the moments at which what came along was committed.
    """

    project: str
    release: str | None
    serial: int
    at: datetime
    is_back: bool
    changes: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class Log:
    """What came in a time, oldest first, with the verdicts about it; `begin` is when the environment had its first."""

    came: tuple[Came, ...]
    verdicts: Mapping[tuple[str, str], Sequence[Verdict]]
    begin: datetime | None
    faults: tuple[str, ...] = ()


def read_log(place: Place, since: datetime, project: str | None, moments: Moments) -> Log:
    """What came live at `since` or later, of one project or of all."""
    live = load_current(place.code, place.prefix).state
    every = (record for _, record in newest_first(place.code, place.prefix, live, 32))
    records, faults = choose(every, project, since, _ALL)
    records.reverse()
    swaps = [record for record in records if record.deployment.action in ("promote", "rollback")]
    steps = [step for found in side_by_side(lambda one: _steps(place, one, faults), swaps) for step in found]
    steps = [step for step in steps if project in (None, step.project)]
    promoted = sorted({(step.project, step.after.release) for step in steps if step.after})
    loaded = side_by_side(lambda one: _verdicts(place, *one, faults), promoted)
    came = _with_changes(place, steps, moments)
    begin = read_timestamp(records[0].deployment.at) if records and records[0].serial == 1 else None
    return Log(tuple(came), dict(zip(promoted, loaded, strict=True)), begin, tuple(faults))


@dataclass(frozen=True)
class _Step:
    project: str
    before: ProjectState | None
    after: ProjectState | None
    serial: int
    at: datetime
    is_back: bool


def _steps(place: Place, record: LedgerRecord, faults: list[str]) -> list[_Step]:
    """The projects whose release the record's state changed; one that changed settings alone is no deployment."""
    at = read_timestamp(record.deployment.at)
    try:
        state = load_named(place.code, place.prefix, record.state)
        before = load_named(place.code, place.prefix, state.previous).projects if state.previous else {}
    except DeliveryError as error:
        faults.append(str(error))
        return []
    if at is None:
        faults.append(f"state {record.state} of {place.name} has no time that can be read")
        return []
    steps: list[_Step] = []
    for project in sorted(before.keys() | state.projects.keys()):
        if is_review(project):
            continue
        old, new = before.get(project), state.projects.get(project)
        if (old.release if old else None) != (new.release if new else None):
            steps.append(_Step(project, old, new, record.serial, at, record.deployment.action == "rollback"))
    return steps


def _verdicts(place: Place, project: str, release: str, faults: list[str]) -> list[Verdict]:
    try:
        return load_verdicts(place, project, release).verdicts
    except DeliveryError as error:
        faults.append(str(error))
        return []


def _with_changes(place: Place, steps: Iterable[_Step], moments: Moments) -> list[Came]:
    """Each step with the moments of its changes: a commit counts where it came live for the first time."""
    known: dict[str, set[str]] = {}
    came: list[Came] = []
    for step in steps:
        changes: list[datetime] = []
        if step.after and not step.is_back:
            seen = known.setdefault(step.project, set())
            commit = step.after.commit
            brought = list(moments(step.before.commit if step.before else None, commit))
            brought = brought or list(moments(None, commit)) or _built(place, step.project, step.after)
            changes = [at for made, at in brought if made not in seen]
            seen |= {made for made, _ in brought}
        release = step.after.release if step.after else None
        came.append(Came(step.project, release, step.serial, step.at, step.is_back, tuple(changes)))
    return came


def _built(place: Place, project: str, live: ProjectState) -> list[tuple[str, datetime]]:
    """When the release was built, where git does not know its commit: some minutes after that was made."""
    key = provenance_key(place.prefix, project, live.release, live.commit)
    try:
        at = read_timestamp(read_record(key, place.code.get(key).content).built_at)
    except (Missing, DeliveryError):
        return []
    return [(live.commit, at.astimezone(UTC))] if at else []
