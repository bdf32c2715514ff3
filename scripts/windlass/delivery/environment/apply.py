"""Carries an environment's plan out, so that after a crash between any two calls the same command completes it.

The record says first that a change of these objects has begun, then Airflow is changed, then the record says what
was sent. An object that the record calls unsettled is sent again, so nothing is ever believed that may not be so.
"""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from windlass.delivery.environment.owned import Owned, OwnedObject, load_owned, save_owned
from windlass.delivery.environment.plan import EnvironmentPlan, Step, plan_environment
from windlass.delivery.history.states import require_preconditions
from windlass.spec.airflow_object import Key, Live, Wanted
from windlass.spec.errors import TransientError, WindlassError
from windlass.spec.store import Conflict, Store

_ATTEMPTS = 20

Progress = Callable[[str], None]


class AirflowSettings(Protocol):
    """The variables, connections and pools of one Airflow."""

    def read(self) -> Mapping[Key, Live]:
        """All of them, secrets masked."""

    def create(self, wanted: Wanted) -> None:
        """Makes an object; ServiceError when there is one of that name."""

    def change(self, wanted: Wanted) -> None:
        """Gives an object all the fields that are wanted."""

    def delete(self, key: Key) -> None:
        """Removes an object; one that is gone already is no error."""


@dataclass(frozen=True)
class Environs:
    """Where an environment's record is kept, and the Airflow that it is about."""

    name: str
    prefix: str
    code: Store
    airflow: AirflowSettings


def plan_now(
    environs: Environs, wanted: Sequence[Wanted], *, adopt: Collection[Key] = (), resend: bool = False
) -> EnvironmentPlan:
    """The plan as things stand; changes nothing."""
    owned = load_owned(environs.code, environs.prefix).owned
    return plan_environment(environs.name, wanted, environs.airflow.read(), owned, adopt=adopt, resend=resend)


def apply(
    environs: Environs,
    wanted: Sequence[Wanted],
    *,
    adopt: Collection[Key] = (),
    resend: bool = False,
    progress: Progress = lambda message: None,
) -> EnvironmentPlan:
    """Makes Airflow hold what is wanted and returns what was planned; objects in conflict stay as they are.

    TransientError when somebody else applied at the same time: the next run then sends again what both have touched.
    """
    record = load_owned(environs.code, environs.prefix)
    live = environs.airflow.read()
    plan = plan_environment(environs.name, wanted, live, record.owned, adopt=adopt, resend=resend)
    if not plan.steps:
        return plan
    require_preconditions(environs.code, environs.prefix)
    begun = _begun(record.owned.model_copy(update={"writer": secrets.token_hex(8)}), plan.steps)
    try:
        etag = save_owned(environs.code, environs.prefix, begun, record.etag)
    except Conflict as conflict:
        raise _overtaken(environs) from conflict
    changes = [step for step in plan.steps if step.action != "forget"]
    try:
        for step in changes:
            progress(f"{step.action} {step.key}")
            _perform(environs.airflow, step)
    except WindlassError as error:
        if load_owned(environs.code, environs.prefix).etag == etag:
            raise
        _doubt(environs, begun, changes)
        raise _overtaken(environs) from error
    if changes:
        try:
            save_owned(environs.code, environs.prefix, _done(begun, changes), etag)
        except Conflict as conflict:
            _doubt(environs, begun, changes)
            raise _overtaken(environs) from conflict
    return plan


def _perform(airflow: AirflowSettings, step: Step) -> None:
    if step.wanted is None or step.makes_anew:
        airflow.delete(step.key)
    if step.wanted is None:
        return
    if step.action == "create" or step.makes_anew:
        airflow.create(step.wanted)
    else:
        airflow.change(step.wanted)


def _begun(owned: Owned, steps: Sequence[Step]) -> Owned:
    """The record before Airflow is touched: what will be is ours from now on, but nothing of it is known."""
    objects = dict(owned.objects)
    for step in steps:
        before = objects.pop(step.key.path, None)
        if step.action == "forget":
            continue
        made_here = step.action == "create" or (step.action != "adopt" and before is not None and before.created)
        objects[step.key.path] = OwnedObject(created=made_here, settled=False)
    return owned.model_copy(update={"objects": dict(sorted(objects.items()))})


def _done(owned: Owned, steps: Sequence[Step]) -> Owned:
    """The record after Airflow has taken every step."""
    objects = dict(owned.objects)
    for step in steps:
        before = objects.pop(step.key.path)
        if step.wanted is not None:
            sent = owned.digests(step.wanted)
            objects[step.key.path] = before.model_copy(update={"settled": True, "sent": sent})
    return owned.model_copy(update={"objects": dict(sorted(objects.items()))})


def _doubt(environs: Environs, begun: Owned, steps: Sequence[Step]) -> None:
    """Another run came between, and of what both have touched nobody knows which content came last: says so."""
    for _ in range(_ATTEMPTS):
        record = load_owned(environs.code, environs.prefix)
        objects = dict(record.owned.objects)
        for step in steps:
            before = objects.get(step.key.path) or begun.objects[step.key.path]
            objects[step.key.path] = before.model_copy(update={"settled": False, "sent": {}})
        doubted = record.owned.model_copy(update={"objects": dict(sorted(objects.items())), "writer": begun.writer})
        try:
            save_owned(environs.code, environs.prefix, doubted, record.etag)
        except Conflict:
            continue
        return


def _overtaken(environs: Environs) -> TransientError:
    return TransientError(f"somebody else applies to {environs.name} at the same time; run it again when that is done")
