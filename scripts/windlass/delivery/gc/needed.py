"""What an environment still needs: what is live anywhere, what its Airflow runs, what was live last, what is young."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Protocol

from windlass.delivery.gc.gc import GcPlan, Name, Unit, plan_gc, units
from windlass.delivery.history.chain import read_record
from windlass.delivery.history.states import load_current, load_named, pointer_key
from windlass.delivery.place import Place
from windlass.delivery.promotion.survey import fetch_release
from windlass.delivery.release.archive import read_archive
from windlass.spec.airflow import DagReport, Run
from windlass.spec.errors import DeliveryError
from windlass.spec.model import model_key, read_version
from windlass.spec.review import reviewed
from windlass.spec.state import ProjectState, State, ledger_key
from windlass.spec.store import Listed, Missing

Progress = Callable[[str], None]
_TOLD_EVERY = 100


class AirflowUse(Protocol):
    """What gc asks an Airflow. Every method raises TransientError (no answer) or ServiceError (refused)."""

    def dags(self, bundle: str) -> list[DagReport]:
        """All DAGs of the bundle, stale ones too."""

    def unfinished_runs(self) -> list[Run]:
        """The runs of any DAG that are queued or running."""


@dataclass(frozen=True)
class Rules:
    """How much stays: the last `keep` releases of each project, and whatever was written after `limit`."""

    keep: int
    limit: datetime


@dataclass
class Pointers:
    """The live state of every environment, and whether it still is.

    A promotion writes its new state beside the others before it swaps: such an intent counts as a move of `own`.
    """

    own: Place
    others: Collection[Place]
    states: dict[str, State | None] = field(default_factory=dict)
    etags: dict[str, str | None] = field(default_factory=dict)
    intents: frozenset[str] = frozenset()

    def read(self) -> None:
        """Reads all; DeliveryError when one is gone that must have been there."""
        for place in (*self.others, self.own):
            current = load_current(place.code, place.prefix)
            if current.state is None and any(islice(place.code.list(f"{place.prefix}/ledger/"), 1)):
                raise DeliveryError(f"{pointer_key(place.prefix)} is gone and its ledger is not: restore it first")
            self.states[place.name], self.etags[place.name] = current.state, current.etag
        self.intents = self._list_intents()

    def moved(self) -> bool:
        """Whether anything happened since `read`: one conditional request for each pointer, the own one last."""
        if any(self._moved(place) for place in (*self.others, self.own)):
            return True
        return self._list_intents() != self.intents

    def _moved(self, place: Place) -> bool:
        etag = self.etags[place.name]
        try:
            return place.code.get_if_changed(pointer_key(place.prefix), etag) is not None
        except Missing:
            return etag is not None

    def _list_intents(self) -> frozenset[str]:
        live = self.states[self.own.name]
        return frozenset(self.own.code.list(f"{self.own.prefix}/states/{live.serial + 1 if live else 1}-"))

    def require_unharmed(self, removed: Iterable[Unit]) -> None:
        """DeliveryError when a state that was swapped meanwhile names something that was removed."""
        gone = {unit.name: unit for unit in removed}
        if not gone or not self.moved():
            return
        self.read()
        for kind, owner, which in _named(self.states[self.own.name]):
            if (kind, owner, which) in gone and not _is_there(self.own, (kind, owner, which)):
                raise DeliveryError(
                    f"{kind} {which[:16]} of {owner} went live in {self.own.name} in the moment of its removal; "
                    "run the same promotion again, or roll back"
                )


def deciding_gc(
    place: Place,
    everywhere: Collection[Place],
    airflow: AirflowUse,
    bundle: str,
    rules: Rules,
    progress: Progress = lambda message: None,
) -> Callable[[], tuple[GcPlan, Pointers]]:
    """Makes the plan for `place` from what is there and live now; `everywhere` are all environments, it included."""

    def decide() -> tuple[GcPlan, Pointers]:
        progress(f"listing what {place.name} keeps")
        code = (one for part in ("releases", "provenance", "states") for one in _list(place, part))
        found = units(place.prefix, code, place.models.list_objects(f"{place.prefix}/"))
        pointers = Pointers(place, [other for other in everywhere if other.name != place.name])
        pointers.read()
        needed: dict[Name, str] = {}
        _need(needed, (unit.name for unit in found if unit.name[0] == "decision"), "decisions of gates, with overrides")
        for environment, state in pointers.states.items():
            _need(needed, _named(state), f"live in {environment}")
        own = pointers.states[place.name]
        _need_history(needed, place, own, _versions_in_use(airflow, bundle), rules.keep, progress)
        _need_losers_of_record(needed, place, found)
        _need_intents(needed, place, found, rules.limit)
        _need_models_of_releases(needed, place, found, rules.limit)
        _need_what_is_foreign(needed, place, found, rules.limit)
        return plan_gc(place.name, found, needed, rules.limit), pointers

    return decide


def _list(place: Place, part: str) -> Iterable[Listed]:
    return place.code.list_objects(f"{place.prefix}/{part}/")


def _need(needed: dict[Name, str], names: Iterable[Name], reason: str) -> None:
    for name in names:
        needed.setdefault(name, reason)


def _named(state: State | None) -> list[Name]:
    """The releases and models of all projects: a version is staged whole, so a run needs those of others too."""
    projects = state.projects if state else {}
    return [name for project, live in projects.items() for name in _of(project, live)]


def _of(project: str, live: ProjectState) -> list[Name]:
    return [("release", project, live.release), *(("model", name, version) for name, version in live.models.items())]


def _versions_in_use(airflow: AirflowUse, bundle: str) -> dict[str, str]:
    """The states that Airflow's unfinished runs began with, or that its next runs will begin with, and why."""
    dags = airflow.dags(bundle)
    ours = {dag.dag_id for dag in dags}
    used = {
        run.version: f"used by a run that is {run.state}"
        for run in airflow.unfinished_runs()
        if run.dag_id in ours and run.version
    }
    # A DAG that no promotion changed keeps the version in which it was parsed, however old: its next run begins there.
    for dag in dags:
        if dag.version and not dag.is_stale:
            used.setdefault(dag.version, "what a DAG's next run begins with")
    return used


def _need_history(
    needed: dict[Name, str], place: Place, live: State | None, used: Mapping[str, str], keep: int, progress: Progress
) -> None:
    """Walks from the live state back: every state of the chain stays, and what the used and the latest ones name."""
    waiting, lived = dict(used), dict[str, set[str]]()
    state, walked = live, 0
    while state is not None:
        _need(needed, [("state", "", state.name)], "history")
        if state.name in waiting:
            _need(needed, _named(state), waiting.pop(state.name))
        for project, then in state.projects.items():
            latest = lived.setdefault(_counted_as(project), set())
            if len(latest) < keep or then.release in latest:
                latest.add(then.release)
                _need(needed, _of(project, then), f"among the last releases of {place.name}")
        walked += 1
        if walked % _TOLD_EVERY == 0:
            progress(f"read {walked} of {live.serial if live else 0} states")
        state = load_named(place.code, place.prefix, state.previous) if state.previous else None
    if waiting:
        version, why = next(iter(waiting.items()))
        raise DeliveryError(
            f"Airflow of {place.name} names state {version!r} ({why}), and {place.prefix} never had it: "
            "nothing is removed; look whether environments and bundle have the same prefix"
        )


def _counted_as(project: str) -> str:
    """With which others a project's last releases are counted: all reviews of a project are counted as one."""
    review = reviewed(project)
    return f"reviews of {review[0]}" if review else project


def _need_losers_of_record(needed: dict[Name, str], place: Place, found: Iterable[Unit]) -> None:
    """A state outside of the chain is a loser's, unless the ledger names it: then it is proof of tampering."""
    for unit in found:
        kind, _, state = unit.name
        if kind == "state" and unit.name not in needed:
            key = ledger_key(place.prefix, int(state.partition("-")[0]))
            try:
                record = read_record(key, place.code.get(key).content)
            except Missing:
                continue
            if record.state == state:
                needed[unit.name] = "history"


def _need_intents(needed: dict[Name, str], place: Place, found: Iterable[Unit], limit: datetime) -> None:
    """A young state outside of the chain may be swapped the next moment."""
    for unit in found:
        kind, _, state = unit.name
        if kind == "state" and unit.name not in needed and unit.modified > limit:
            _need(needed, _named(load_named(place.code, place.prefix, state)), "of a deployment that is under way")


def _need_models_of_releases(needed: dict[Name, str], place: Place, found: Iterable[Unit], limit: datetime) -> None:
    """A young release that was not promoted yet says in its manifest which models it will need."""
    for unit in found:
        kind, project, digest = unit.name
        is_young = kind == "release" and unit.modified > limit and unit.name not in needed
        if is_young and unit.keys[-1].endswith(".tar.gz"):
            release = read_archive(project, digest, fetch_release(place, project, digest))
            names: list[Name] = [("model", *pinned) for pinned in release.manifest.models.items()]
            _need(needed, names, "of a release younger than the limit")


def _need_what_is_foreign(needed: dict[Name, str], place: Place, found: Iterable[Unit], limit: datetime) -> None:
    """A folder that looks like a version and whose model.json says otherwise is somebody else's."""
    for unit in found:
        kind, name, version = unit.name
        key = model_key(place.prefix, name, version)
        if kind == "model" and unit.name not in needed and unit.modified <= limit and key in unit.keys:
            try:
                read_version(place.models.get(key).content, key)
            except Missing:
                continue
            except DeliveryError:
                needed[unit.name] = "not windlass's own"


def _is_there(place: Place, name: Name) -> bool:
    kind, owner, which = name
    if kind == "model":
        return place.models.exists(model_key(place.prefix, owner, which))
    return place.code.exists(f"{place.prefix}/releases/{owner}/{which}.tar.gz")
