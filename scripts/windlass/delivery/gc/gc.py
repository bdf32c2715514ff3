"""What nobody needs any more in an environment, decided from facts, and its removal in an order that may stop anywhere.

A thing goes after whatever names it: provenance before its release, releases before models, `model.json` before the
files that it lists. States, ledger and decisions of gates stay; only a state that lost its swap goes. Keys of any other
shape are not ours.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from windlass.delivery.place import Place
from windlass.delivery.promotion.models import is_damaged
from windlass.spec.errors import TransientError
from windlass.spec.model import model_key
from windlass.spec.store import Listed

Kind = Literal["state", "decision", "release", "model"]
Name = tuple[Kind, str, str]
"""What is kept or removed as one: the kind, then project and digest, model and version, or "" and a state's name.

A decision is all that a gate decided about a release, with the overrides; none is ever removed.
"""

ROUNDS = 10
"""How often the plan is made anew because a state was swapped meanwhile."""
_TOLD_EVERY = 50

_WORD = r"([a-z][a-z0-9_]{0,62})"
_CODE: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("state", re.compile(r"states/()([1-9][0-9]{0,8}-[0-9a-f]{12})\.json")),
    ("decision", re.compile(rf"provenance/{_WORD}/([0-9a-f]{{64}})/(?:gate|override)/[0-9a-f]{{64}}\.json")),
    ("release", re.compile(rf"provenance/{_WORD}/([0-9a-f]{{64}})/[0-9a-f]{{7,64}}\.json")),
    ("release", re.compile(rf"releases/{_WORD}/([0-9a-f]{{64}})\.tar\.gz")),
)
_MODELS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("model", re.compile(rf"{_WORD}/([0-9a-f]{{16}})/model\.json")),
    ("model", re.compile(rf"{_WORD}/([0-9a-f]{{16}})/files/[0-9a-f]{{16}}/[A-Za-z0-9][A-Za-z0-9_.-]*")),
)
_NO_MODEL = {"releases", "provenance", "states", "ledger", "transfer", "delivered", "incoming", "dags", "plain"}
"""What else lies beside the models where one bucket serves for all."""


@dataclass(frozen=True)
class Unit:
    """What is kept or removed as one: its keys in the order of removal, its bytes, and its youngest object's time."""

    name: Name
    keys: tuple[str, ...]
    size: int
    modified: datetime


@dataclass(frozen=True)
class GcPlan:
    """What goes, in order, and for each reason how many things stay and their bytes."""

    environment: str
    removals: tuple[Unit, ...]
    kept: Mapping[str, tuple[int, int]]

    def count(self, kind: Kind) -> tuple[int, int]:
        """How many things of the kind go, and their bytes."""
        found = [unit.size for unit in self.removals if unit.name[0] == kind]
        return len(found), sum(found)


def units(prefix: str, code: Iterable[Listed], models: Iterable[Listed]) -> list[Unit]:
    """The listed objects of the environment at `prefix` as states, releases and models, in the order of removal."""
    found: dict[Name, list[tuple[int, Listed]]] = defaultdict(list)
    for shapes, objects in ((_CODE, code), (_MODELS, models)):
        for listed in objects:
            for rank, (kind, shape) in enumerate(shapes):
                match = (
                    shape.fullmatch(listed.key.removeprefix(f"{prefix}/")) if listed.key.startswith(prefix) else None
                )
                if match and not (kind == "model" and match[1] in _NO_MODEL):
                    found[kind, match[1], match[2]].append((rank, listed))
    order: tuple[Kind, ...] = ("state", "decision", "release", "model")
    return [_unit(name, found[name]) for kind in order for name in sorted(found) if name[0] == kind]


def _unit(name: Name, members: list[tuple[int, Listed]]) -> Unit:
    ordered = [listed for _, listed in sorted(members, key=lambda member: (member[0], member[1].key))]
    return Unit(
        name,
        tuple(listed.key for listed in ordered),
        sum(listed.size for listed in ordered),
        max(listed.modified for listed in ordered),
    )


def plan_gc(environment: str, found: Iterable[Unit], needed: Mapping[Name, str], limit: datetime) -> GcPlan:
    """Everything in `found` goes that is neither needed (for the reason given) nor written after `limit`."""
    removals: list[Unit] = []
    kept: dict[str, tuple[int, int]] = {}
    for unit in found:
        reason = needed.get(unit.name) or ("younger than the limit" if unit.modified > limit else None)
        if reason is None:
            removals.append(unit)
        else:
            number, size = kept.get(reason, (0, 0))
            kept[reason] = number + 1, size + unit.size
    return GcPlan(environment, tuple(removals), kept)


class Watch(Protocol):
    """The states that a plan was made from."""

    def moved(self) -> bool:
        """Whether any of them was swapped since."""

    def require_unharmed(self, removed: Iterable[Unit]) -> None:
        """DeliveryError when a state that was swapped meanwhile names something that was removed."""


def perform_gc(
    decide: Callable[[], tuple[GcPlan, Watch]], place: Place, progress: Callable[[str], None] = lambda message: None
) -> list[Unit]:
    """Makes the plan and removes what it says; plans again whenever a state was swapped meanwhile."""
    removed: list[Unit] = []
    for _ in range(ROUNDS):
        plan, watch = decide()
        for unit in plan.removals:
            if watch.moved():
                break
            removed.append(unit)
            _remove(unit, place)
            if len(removed) % _TOLD_EVERY == 0:
                progress(f"removed {len(removed)} of {len(plan.removals)}")
        moved = watch.moved()
        watch.require_unharmed(removed)
        if not moved:
            return removed
        progress("a deployment came in between; planning again")
    raise TransientError(f"{place.name} is being changed all the time: removed {len(removed)}, the rest another time")


def _remove(unit: Unit, place: Place) -> None:
    kind, owner, which = unit.name
    store = place.models if kind == "model" else place.code
    for key in unit.keys:
        store.delete(key)
    if kind == "model" and is_damaged(place, owner, which):  # made again meanwhile, and lost a file to us
        store.delete(model_key(place.prefix, owner, which))  # so that whoever needs it makes it whole
