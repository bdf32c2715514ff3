"""Applying to an Airflow and a store that may fail at any call, lose answers, or be shared with others."""

import itertools
import sys
from collections.abc import Callable
from functools import cache

import pytest

from tests.environment.conftest import World, declared, key
from tests.environment.fake_airflow import FakeAirflow
from tests.fakes.memory_store import MemoryStore
from windlass.delivery.environment.apply import apply, plan_now
from windlass.spec.errors import DeliveryError, ServiceError, TransientError

BEFORE = """\
variables: {limit: 500, token: "${TOKEN}", given_back: x, gone: "${TOKEN}"}
connections: {dwh: {type: postgres, host: db, password: "${PASSWORD}"}, bare: {type: http, password: p}}
pools: {etl: {slots: 4}, old: {slots: 1}}
"""
AFTER = """\
variables: {limit: 501, token: "${TOKEN}", added: "${TOKEN}", mine: taken, foreign: never}
connections:
  dwh: {type: postgres, host: db, password: "${PASSWORD}"}
  bare: {type: http}
  more: {type: http, extra: {key: "${PASSWORD}"}}
pools: {etl: {slots: 8}, new: {slots: 2}}
"""
OLD = {"TOKEN": "old-token", "PASSWORD": "old-password"}
NEW = {"TOKEN": "new-token", "PASSWORD": "new-password"}
FOREIGN = {"value": "by hand", "description": None}
MINE, GIVEN_BACK = key("variable/mine"), key("variable/given_back")


class Killed(BaseException):
    """The process ends here: nothing may catch it."""


def prepared() -> World:
    """BEFORE is applied, with an adopted object among it; two others were made by hand."""
    return copied(_prepared_once())


@cache
def _prepared_once() -> World:
    """One record and with it one salt for all tests: digests of secrets are slow to make on purpose, and kept."""
    world = World()
    world.airflow.objects[GIVEN_BACK] = dict(FOREIGN)
    apply(world.environs, declared(BEFORE, OLD), adopt=[GIVEN_BACK])
    world.airflow.objects |= {MINE: dict(FOREIGN), key("variable/foreign"): dict(FOREIGN)}
    return world


def copied(world: World) -> World:
    """A world of its own with the same objects in Airflow and in S3."""
    airflow = FakeAirflow({one: dict(content) for one, content in world.airflow.objects.items()})
    return World(MemoryStore(dict(world.store.objects)), airflow)


def go_on(world: World) -> None:
    """What the tests inject into: creates, changes, deletes, takes over, makes anew, gives back, and has a conflict."""
    apply(world.environs, declared(AFTER, NEW), adopt=[MINE])


def first(world: World) -> None:
    """The very first apply."""
    text = 'variables: {token: "${TOKEN}"}\nconnections: {dwh: {type: postgres}}\npools: {etl: {slots: 4}}\n'
    apply(world.environs, declared(text, OLD))


def removal(world: World) -> None:
    """Nothing is declared any more."""
    apply(world.environs, [])


SCENARIOS: dict[str, tuple[Callable[[], World], Callable[[World], None]]] = {
    "first apply": (World, first),
    "apply": (prepared, go_on),
    "removal": (prepared, removal),
}


def injected(world: World, point: int, moment: str) -> None:
    """From here on the call number `point`, of Airflow's and of S3's together, ends the process."""
    count = itertools.count()

    def crash(call: str) -> None:
        if next(count) == point:
            raise Killed(call)

    setattr(world.store, moment, crash)
    setattr(world.airflow, moment, crash)


def healed(world: World) -> None:
    for part in (world.store, world.airflow):
        part.before = part.after = lambda call: None


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_crash_at_any_call_of_airflow_and_s3_is_completed_by_the_same_command(
    name: str, moment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare, run = SCENARIOS[name]
    start = prepare()
    whole = copied(start)
    run(whole)
    calls = len(whole.airflow.calls), len(whole.store.calls)
    for point in range(sum(calls)):
        world = copied(start)
        injected(world, point, moment)
        with pytest.raises(Killed):
            run(world)
        healed(world)
        require_guarded(world, start, whole, point)
        run(world)
        assert world.airflow.objects == whole.airflow.objects, f"point {point}"
        assert contents(world) == contents(whole), f"point {point}"
        run(world)
        assert world.airflow.calls[-1] == "read", f"point {point}: the third run still found something to do"
    with capsys.disabled():
        sys.stdout.write(f"\n{name}: crash {moment} each of {calls[0]} Airflow calls and {calls[1]} store calls\n")


def require_guarded(world: World, start: World, whole: World, point: int) -> None:
    """Each object is as it was or as it will be, what windlass made is in the record, the rest is untouched."""
    owned = world.owned.objects
    for one in start.airflow.objects.keys() | whole.airflow.objects.keys():
        now = world.airflow.objects.get(one)
        states = [start.airflow.objects.get(one), whole.airflow.objects.get(one)]
        made_anew = one == key("connection/bare") and now is None
        assert now in states or made_anew, f"point {point}: {one} is half done"
        if now is not None and str(now["description"]).endswith("(kept by windlass)") and one != GIVEN_BACK:
            assert one.path in owned, f"point {point}: nobody knows that windlass made {one}"
    assert world.airflow.objects.get(key("variable/foreign")) == start.airflow.objects.get(key("variable/foreign"))


def contents(world: World) -> object:
    """The record without what differs between runs; digests are compared where both records have one salt."""
    return {path: (entry.created, entry.settled, sorted(entry.sent)) for path, entry in world.owned.objects.items()}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_after_a_crash_at_any_call_the_way_back_is_complete_too(moment: str) -> None:
    """Old secrets again: the record must not believe that they are still there."""
    start = prepared()
    whole = copied(start)
    go_on(whole)
    for point in range(len(whole.airflow.calls) + len(whole.store.calls)):
        world = copied(start)
        injected(world, point, moment)
        with pytest.raises(Killed):
            go_on(world)
        healed(world)
        text = BEFORE.replace("given_back: x, ", "")  # it was forgotten, and stays in Airflow
        apply(world.environs, declared(text, OLD))
        for one, content in start.airflow.objects.items():
            if one not in (MINE, GIVEN_BACK):
                assert world.airflow.objects.get(one) == content, f"point {point}: {one}"
        assert plan_now(world.environs, declared(text, OLD)).is_done


def test_the_record_says_that_a_change_begins_before_airflow_is_touched_and_what_was_sent_after() -> None:
    world = prepared()
    order: list[str] = []
    world.store.before = lambda call: order.append(call)
    world.airflow.before = lambda call: order.append(call)
    go_on(world)
    writes = [call for call in order if not call.startswith(("get", "read"))]
    while writes[0] == "put dev/.preconditions":
        writes.pop(0)
    assert writes[0] == writes[-1] == "put dev/owned.json"
    assert {call.split()[0] for call in writes[1:-1]} == {"create", "change", "delete"}


def test_the_same_apply_again_asks_and_writes_nothing() -> None:
    world = prepared()
    go_on(world)
    world.airflow.calls.clear()
    world.store.calls.clear()
    go_on(world)
    assert (world.airflow.calls, world.store.calls) == (["read"], ["get dev/owned.json"])


def test_a_conflict_is_returned_and_everything_else_is_brought_in() -> None:
    world = prepared()
    plan = apply(world.environs, declared(AFTER, NEW), adopt=[MINE])
    assert plan.conflicts == (key("variable/foreign"),)
    assert world.airflow.objects[key("variable/foreign")] == FOREIGN
    assert world.airflow.objects[key("pool/etl")]["slots"] == "8"


def test_what_somebody_makes_by_hand_after_a_crash_is_not_taken_for_ours() -> None:
    world = prepared()

    def crash(call: str) -> None:
        if call == "create variable/added":
            raise Killed(call)

    world.airflow.before = crash
    with pytest.raises(Killed):
        go_on(world)
    healed(world)
    world.airflow.objects[key("variable/added")] = dict(FOREIGN)
    plan = apply(world.environs, declared(AFTER, NEW), adopt=[MINE])
    assert key("variable/added") in plan.conflicts
    removal(world)
    assert world.airflow.objects[key("variable/added")] == FOREIGN


def test_a_refusal_of_airflow_stops_and_the_next_run_sends_it_again() -> None:
    world = prepared()

    def refuse(call: str) -> None:
        if call == "change connection/dwh":
            raise ServiceError("refused")

    world.airflow.before = refuse
    with pytest.raises(ServiceError, match="refused"):
        go_on(world)
    healed(world)
    assert "an earlier run did not finish it" in "\n".join(plan_now(world.environs, declared(AFTER, NEW)).describe())
    go_on(world)
    assert world.airflow.objects[key("connection/dwh")]["password"] == "new-password"


def test_of_two_at_once_the_one_that_is_late_puts_in_doubt_what_both_touched() -> None:
    world = prepared()
    other = {"TOKEN": "other-token", "PASSWORD": "other-password"}

    def interfere(call: str) -> None:
        if call == "change connection/dwh":
            healed(world)
            apply(world.environs, declared(AFTER, other), adopt=[MINE])

    world.airflow.before = interfere
    with pytest.raises(TransientError, match="somebody else applies to dev at the same time; run it again"):
        go_on(world)
    assert not world.owned.objects["connection/dwh"].settled
    assert not plan_now(world.environs, declared(AFTER, other), adopt=[MINE]).is_done
    apply(world.environs, declared(AFTER, other), adopt=[MINE])
    assert world.airflow.objects[key("connection/dwh")]["password"] == "other-password"


def test_one_that_loses_the_last_write_puts_in_doubt_what_it_sent() -> None:
    world = prepared()
    other = {"TOKEN": "other-token", "PASSWORD": "other-password"}

    def interfere(call: str) -> None:
        if call == "delete variable/gone":
            healed(world)
            apply(world.environs, declared(BEFORE, other))

    world.airflow.before = interfere
    with pytest.raises(TransientError, match="somebody else applies to dev"):
        go_on(world)
    assert not world.owned.objects["variable/token"].settled
    go_on(world)
    assert world.airflow.objects[key("variable/token")]["value"] == "new-token"


def test_one_that_loses_the_first_write_touches_nothing() -> None:
    world = prepared()

    def interfere(call: str) -> None:
        if call == "put dev/owned.json":
            healed(world)
            go_on(world)
            world.airflow.calls.clear()

    world.store.before = interfere
    with pytest.raises(TransientError):
        apply(world.environs, declared(BEFORE, NEW))
    assert world.airflow.calls == []


def test_a_write_whose_answer_got_lost_counts_as_done() -> None:
    world = prepared()
    plain_put = world.store.put

    def put(name: str, content: bytes, **condition: object) -> str:
        if name == "dev/owned.json":
            plain_put(name, content, **condition)
        return plain_put(name, content, **condition)  # what a repeated request does

    world.store.put = put
    go_on(world)
    assert all(entry.settled for entry in world.owned.objects.values())


@pytest.mark.parametrize(
    "content", [b"{}", b"nothing", b'{"format": 2, "salt": "s"}', b'{"format": 1, "salt": "s", "x": 1}']
)
def test_a_record_that_cannot_be_read_stops_before_anything_is_touched(content: bytes) -> None:
    world = World(airflow=FakeAirflow())
    world.store.objects["dev/owned.json"] = content
    with pytest.raises(DeliveryError, match=r"dev/owned\.json is not a record of windlass"):
        first(world)
    assert world.airflow.calls == []
