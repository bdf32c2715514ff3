"""Lays the live releases out as files below `dags/`, for an Airflow in which no bundle class can be installed.

The state stays the truth: files follow it, after the swap. Whatever stops a layout, the next one begins with the list
of own files and what lies there, and ends with exactly the files of what is live then. Nothing is written over a
content that this layout has not seen, so two layouts at once, or a slow one, undo each other's work at most until the
slower has looked again.
"""

import random
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from windlass.delivery.environment.settings import environment_json
from windlass.delivery.history.states import load_current, pointer_key
from windlass.delivery.place import Place
from windlass.delivery.plain.own import OwnList, list_times, load_own, look, save_own
from windlass.delivery.plain.plan import LayoutPlan, Write, finished, plan_layout
from windlass.delivery.promotion.survey import load_release
from windlass.delivery.release.archive import digest_of
from windlass.delivery.release.trust import Claim, require_trust
from windlass.delivery.side_by_side import side_by_side
from windlass.spec.errors import DeliveryError, TransientError
from windlass.spec.layout import ENVIRONMENT, SETTINGS, dags_key, list_key
from windlass.spec.state import State
from windlass.spec.store import Conflict, Missing

ROUNDS = 40
"""How often a layout begins again because the state moved, or another layout came between."""
_LONGEST_PAUSE = 2.0
_TOLD_EVERY = 50

Progress = Callable[[str], None]


@dataclass(frozen=True)
class LaidOut:
    """What was done to the files of an environment, and how many were as wanted already."""

    written: int = 0
    deleted: int = 0
    kept: int = 0

    def as_json(self) -> dict[str, int]:
        """The numbers for a machine."""
        return {"written": self.written, "deleted": self.deleted, "kept": self.kept}

    def describe(self) -> str:
        """One line for a person, with the warning that this mode needs."""
        if not self.written and not self.deleted:
            return f"files below dags/: all {self.kept} are as they should be"
        return (
            f"files below dags/: {self.written} written, {self.deleted} deleted, {self.kept} as before; "
            "runs that are under way see the new ones (bundle: plain has no versions)"
        )


@dataclass(frozen=True)
class _Wanted:
    """What an owner shall have: `release` is its name, `load` gives the files by their path below `dags/`."""

    release: str | None
    load: Callable[[], Mapping[str, bytes]]


@dataclass(frozen=True)
class _Survey:
    """One owner's list, the plan for its files, and what they shall hold."""

    own: OwnList
    plan: LayoutPlan
    files: Mapping[str, bytes]


def lay_out(
    place: Place,
    projects: Collection[str],
    *,
    sleep: Callable[[float], None],
    progress: Progress = lambda message: None,
) -> LaidOut:
    """Makes the files of `projects`, of the settings and of projects that have no release any more follow the state.

    DeliveryError names foreign files that are in the way; TransientError when others change these files all the time.
    """
    total = LaidOut()
    for attempt in range(ROUNDS):
        current = load_current(place.code, place.prefix)
        if current.state is None:
            return total
        try:
            done = _lay_out_once(place, current.state, projects, progress)
            total = LaidOut(total.written + done.written, total.deleted + done.deleted, done.kept)
            if not _moved(place, current.etag):
                return total
            progress(f"{place.name} was changed by somebody else; laying out again")
        except Conflict:
            progress(f"somebody else lays files out in {place.name}; looking again")
            sleep(min(_LONGEST_PAUSE, 0.05 * 2 ** min(attempt, 6)) * random.uniform(0.5, 1.5))  # noqa: S311 - a pause
    raise TransientError(f"the files of {place.name} are being changed all the time; run the same command in a moment")


def require_free(place: Place, before: State | None, after: State) -> None:
    """DeliveryError, before anything is swapped, when foreign files lie where `after` would have its own."""
    old = before.projects if before else {}
    changed = [name for name, live in after.projects.items() if name not in old or old[name].release != live.release]
    if not changed and before is not None and before.environment == after.environment:
        return
    times = list_times(place)
    for owner in (ENVIRONMENT, *sorted(changed)):
        plan = _survey_at_rest(place, owner, _wanted(place, after, owner), times.get(owner)).plan
        if plan.foreign:
            raise DeliveryError(f"{place.name} stays as it is: {_foreign(place, plan)}")


def require_laid_out(place: Place, state: State, project: str) -> None:
    """TransientError unless the files of the project, and the settings, are exactly those of `state`."""
    times = list_times(place)
    for owner in (ENVIRONMENT, project):
        try:
            is_done = _survey(place, owner, _wanted(place, state, owner), times.get(owner)).plan.is_done
        except Conflict:  # somebody lays out just now
            is_done = False
        if not is_done:
            raise TransientError(
                f"{place.name}: the files of {_title(owner)} are not laid out as {state.name} says; "
                f"run windlass promote --to {place.name} again, or windlass rollback, whichever was interrupted"
            )


def unfinished(place: Place, state: State) -> list[str]:
    """The projects whose list does not say that what is live is laid out whole; `environment.json` for the settings."""
    owners = [*sorted(state.projects), ENVIRONMENT]
    lists = side_by_side(lambda owner: load_own(place, owner).files, owners)
    return [
        SETTINGS if owner == ENVIRONMENT else owner
        for owner, files in zip(owners, lists, strict=True)
        if files.under_way or files.release != _wanted(place, state, owner).release
    ]


def _lay_out_once(place: Place, state: State, projects: Collection[str], progress: Progress) -> LaidOut:
    times = list_times(place)
    gone = times.keys() - state.projects.keys() - {ENVIRONMENT}
    written = deleted = kept = 0
    for owner in (ENVIRONMENT, *sorted({*projects, *gone})):
        plan = _bring(place, owner, _wanted(place, state, owner), times.get(owner), progress)
        written += len(plan.helpers) + len(plan.dags)
        deleted += sum(map(len, plan.deletes))
        kept += plan.kept
    return LaidOut(written, deleted, kept)


def _moved(place: Place, etag: str | None) -> bool:
    try:
        return place.code.get_if_changed(pointer_key(place.prefix), etag) is not None
    except Missing:
        return True


def _wanted(place: Place, state: State, owner: str) -> _Wanted:
    if owner == ENVIRONMENT:
        content = environment_json(state.environment)
        return _Wanted(digest_of(content), lambda: {SETTINGS: content})
    live = state.projects.get(owner)
    if live is None:
        return _Wanted(None, dict)

    def load() -> Mapping[str, bytes]:
        require_trust(place, Claim(owner, live.release, live.commit))
        release = load_release(place, owner, live.release)
        return {f"{owner}/{path}": content for path, content in release.files.items()}

    return _Wanted(live.release, load)


def _bring(place: Place, owner: str, wanted: _Wanted, since: datetime | None, progress: Progress) -> LayoutPlan:
    """Makes the owner's files what is wanted."""
    found = _survey(place, owner, wanted, since)
    if found.plan.foreign:
        raise DeliveryError(f"{_foreign(place, found.plan)}; what is live there is not laid out whole")
    if not found.plan.is_done:
        _perform(place, owner, found.plan, found.own, found.files, progress)
    return found.plan


def _survey(place: Place, owner: str, wanted: _Wanted, since: datetime | None) -> _Survey:
    """The plan for one owner; the archive is read only when something is to be done.

    Conflict when a file looks foreign and the list was written meanwhile: another layout may just have put it there.
    """
    own = load_own(place, owner)
    there = look(place, owner, own.files, since)
    if not own.files.under_way and own.files.release == wanted.release:
        plan = plan_layout(wanted.release, own.files.files, own.files, there)
        if plan.is_done:
            return _Survey(own, plan, {})
    files = wanted.load()
    digests = {path: digest_of(content) for path, content in files.items()}
    plan = plan_layout(wanted.release, digests, own.files, there)
    if plan.foreign:
        _require_same(place, owner, own)
    return _Survey(own, plan, files)


def _perform(
    place: Place, owner: str, plan: LayoutPlan, own: OwnList, files: Mapping[str, bytes], progress: Progress
) -> None:
    """The intent, then helpers, DAG files and deletes, then the final list; Conflict where somebody else was there."""
    if plan.touches_files:
        own = save_own(place, owner, plan.intent, own)
    etags: dict[str, str] = {}
    count = len(plan.helpers) + len(plan.dags)

    def write(one: Write) -> None:
        key = dags_key(place.prefix, one.path)
        etags[one.path] = place.code.put(key, files[one.path], if_match=one.etag, if_absent=one.etag is None)
        if len(etags) % _TOLD_EVERY == 0 or len(etags) == count:
            progress(f"laid out {len(etags)} of {count} files of {_title(owner)}")

    side_by_side(write, plan.helpers)
    side_by_side(write, plan.dags)
    if any(plan.deletes):
        _require_same(place, owner, own)  # a delete has no precondition of its own
    for paths in plan.deletes:
        side_by_side(lambda path: place.code.delete(dags_key(place.prefix, path)), paths)
    if any(plan.deletes):
        progress(f"deleted {sum(map(len, plan.deletes))} files of {_title(owner)}")
    save_own(place, owner, finished(plan, etags), own)


def _survey_at_rest(place: Place, owner: str, wanted: _Wanted, since: datetime | None) -> _Survey:
    for _ in range(ROUNDS):
        with suppress(Conflict):
            return _survey(place, owner, wanted, since)
    raise TransientError(f"the files of {place.name} are being changed all the time; run the same command in a moment")


def _require_same(place: Place, owner: str, own: OwnList) -> None:
    """Conflict unless the list is as it was read or written here."""
    key = list_key(place.prefix, owner)
    try:
        changed = place.code.get_if_changed(key, own.etag) is not None
    except Missing:
        changed = own.etag is not None
    if changed:
        raise Conflict(f"{key} was written by somebody else meanwhile")


def _title(owner: str) -> str:
    return "the settings" if owner == ENVIRONMENT else owner


def _foreign(place: Place, plan: LayoutPlan) -> str:
    """The sentence about files that are in the way."""
    paths = plan.foreign
    named = ", ".join(dags_key(place.prefix, path) for path in paths[:5])
    more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
    lie = "lies" if len(paths) == 1 else "lie"
    return (
        f"{named}{more} {lie} where the release has a file of its own, and windlass did not put it there; "
        "move it away, and run the same command again"
    )
