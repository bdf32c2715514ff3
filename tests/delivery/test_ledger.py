"""The ledger: complete after every crash, and telling when somebody rewrote it."""

import json
from threading import Barrier

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.delivery.conftest import World
from tests.fakes.chains import chain_of
from tests.fakes.memory_store import MemoryStore
from windlass.delivery.history.ledger import ledger_end, read_history
from windlass.delivery.history.states import load_current
from windlass.delivery.release.archive import digest_of
from windlass.spec.state import LedgerRecord

ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40


@pytest.fixture
def delivered(world: World) -> World:
    for commit in (ONE, TWO, THREE):
        world.promote(world.publish(commit, {"read": commit}), commit, "stage")
    return world


def faults(world: World) -> list[str]:
    return read_history(world.store, "stage", check=True).faults


def test_each_record_holds_the_hash_of_the_one_before(delivered: World) -> None:
    history = read_history(delivered.store, "stage", check=True)
    assert history.faults == []
    assert [record.deployment.commit for record in history.records] == [ONE, TWO, THREE]


def test_missing_records_are_written_again_in_the_same_bytes(delivered: World) -> None:
    keys = ["stage/ledger/2.json", "stage/ledger/3.json"]
    before = {key: delivered.store.objects.pop(key) for key in keys}
    live = load_current(delivered.store, "stage").state
    assert ledger_end(delivered.store, "stage", live) == digest_of(before[keys[1]])
    assert {key: delivered.store.objects[key] for key in keys} == before
    delivered.store.calls.clear()
    ledger_end(delivered.store, "stage", live)
    assert not [call for call in delivered.store.calls if call.startswith("put")]


def test_a_missing_record_is_found(delivered: World) -> None:
    del delivered.store.objects["stage/ledger/2.json"]
    assert faults(delivered) == ["stage/ledger/2.json is missing"]


def test_a_rewritten_record_is_found_and_no_other_is_blamed(delivered: World) -> None:
    record = json.loads(delivered.store.objects["stage/ledger/2.json"])
    record["deployment"]["actor"] = "mallory"
    forged = (json.dumps(record, sort_keys=True, indent=1) + "\n").encode()
    delivered.store.objects["stage/ledger/2.json"] = forged
    found = faults(delivered)
    assert any("2.json tells another story than state" in fault for fault in found)
    assert len(found) == 1, "the record after it is as it was"


def test_reordered_records_are_found(delivered: World) -> None:
    objects = delivered.store.objects
    objects["stage/ledger/2.json"], objects["stage/ledger/3.json"] = (
        objects["stage/ledger/3.json"],
        objects["stage/ledger/2.json"],
    )
    assert any("records were reordered" in fault for fault in faults(delivered))


def test_an_altered_state_is_found(delivered: World) -> None:
    key = next(key for key in delivered.store.objects if key.startswith("stage/states/2-"))
    delivered.store.objects[key] = delivered.store.objects[key].replace(TWO.encode(), ONE.encode())
    assert any(fault.startswith("stage/ledger/2.json: stage/states/2-") for fault in faults(delivered))


def test_an_environment_without_any_deployment_has_an_empty_history(world: World) -> None:
    assert faults(world) == []


def test_the_newest_record_may_be_missing_after_an_interruption_and_the_words_say_so(delivered: World) -> None:
    del delivered.store.objects["stage/ledger/3.json"]
    assert faults(delivered) == [
        "stage/ledger/3.json is missing: it was removed, or the deployment was interrupted and the next one writes it"
    ]


def test_a_newest_record_that_is_written_during_the_check_is_no_fault(delivered: World) -> None:
    late = delivered.store.objects.pop("stage/ledger/3.json")

    def finish(call: str) -> None:
        if call.startswith("get stage/states/"):
            delivered.store.objects["stage/ledger/3.json"] = late

    delivered.store.before = finish
    assert faults(delivered) == []


def test_a_deployment_during_the_check_is_no_fault(delivered: World) -> None:
    archive = delivered.publish("4" * 40, {"read": "four"})

    def deploy(call: str) -> None:
        delivered.store.after = lambda call: None
        delivered.promote(archive, "4" * 40, "stage")

    delivered.store.after = deploy
    assert faults(delivered) == []


def test_a_record_beyond_the_live_state_is_found(delivered: World) -> None:
    objects = delivered.store.objects
    for name in ("4", "02", "notes"):
        objects[f"stage/ledger/{name}.json"] = objects["stage/ledger/3.json"]
    live = delivered.live().name
    assert faults(delivered) == [
        f"stage/ledger/{name}.json is no record of a state up to the live one, {live}" for name in ("02", "4", "notes")
    ]


def test_a_record_about_a_state_that_never_was_live_is_found(delivered: World) -> None:
    live = delivered.live()
    other = live.model_copy(update={"deployment": live.deployment.model_copy(update={"actor": "mallory"})})
    delivered.store.objects[f"stage/states/{other.name}.json"] = other.to_json()
    record = json.loads(delivered.store.objects["stage/ledger/3.json"])
    record |= {"state": other.name, "deployment": {**record["deployment"], "actor": "mallory"}}
    delivered.store.objects["stage/ledger/3.json"] = (json.dumps(record, sort_keys=True, indent=1) + "\n").encode()
    (fault,) = faults(delivered)
    assert fault == f"stage/ledger/3.json is about state {other.name}, which never was live: state 3 is {live.name}"


def test_a_missing_state_is_found_and_the_records_before_it_are_checked_all_the_same(delivered: World) -> None:
    objects = delivered.store.objects
    del objects[next(key for key in objects if key.startswith("stage/states/2-"))]
    (fault,) = faults(delivered)
    assert fault.startswith("stage/ledger/2.json: there is no state '2-")
    objects["stage/ledger/1.json"] = objects["stage/ledger/1.json"].replace(b"ann", b"bob")
    assert any("stage/ledger/1.json tells another story" in fault for fault in faults(delivered))


@pytest.mark.parametrize("content", [b"{}", None, b"\xff"])
def test_a_pointer_that_is_altered_or_gone_is_a_fault_and_the_records_are_checked(
    delivered: World, content: bytes | None
) -> None:
    objects = delivered.store.objects
    objects.pop("stage/state.json")
    if content is not None:
        objects["stage/state.json"] = content
    objects["stage/ledger/2.json"] = objects["stage/ledger/2.json"].replace(b"ann", b"bob")
    found = faults(delivered)
    assert found[0].startswith("stage/state.json is")
    assert any("stage/ledger/2.json tells another story" in fault for fault in found)


def test_an_older_state_put_back_as_the_live_one_is_found(delivered: World) -> None:
    objects = delivered.store.objects
    objects["stage/state.json"] = objects[next(key for key in objects if key.startswith("stage/states/2-"))]
    assert any(
        "stage/ledger/3.json is no record of a state up to the live one, 2-" in found for found in faults(delivered)
    )


def test_an_unreadable_record_does_not_hide_the_others(delivered: World) -> None:
    delivered.store.objects["stage/ledger/2.json"] = b"\x1b[31m"
    delivered.store.objects["stage/ledger/3.json"] = b"{}"
    found = faults(delivered)
    assert [fault.partition(" ")[0] for fault in found] == ["stage/ledger/2.json", "stage/ledger/3.json"]
    records = read_history(delivered.store, "stage", check=True).records
    assert [record.serial for record in records] == [1]


# -- any single change

N = 9
_CHAINS = {length: chain_of(length).objects for length in range(1, N + 1)}


def key(serial: int) -> str:
    return f"dev/ledger/{serial}.json"


def delete(objects: dict[str, bytes], serial: int, other: int) -> str:
    del objects[key(serial)]
    return key(serial)


def flip(objects: dict[str, bytes], serial: int, other: int) -> str:
    content = bytearray(objects[key(serial)])
    content[other % len(content)] ^= 1 + other % 255
    objects[key(serial)] = bytes(content)
    return key(serial)


def cut(objects: dict[str, bytes], serial: int, other: int) -> str:
    objects[key(serial)] = objects[key(serial)][: other % len(objects[key(serial)])]
    return key(serial)


def swap(objects: dict[str, bytes], serial: int, other: int) -> str:
    there = key(1 + other % count(objects))
    assume(there != key(serial))
    objects[key(serial)], objects[there] = objects[there], objects[key(serial)]
    return key(serial)


def duplicate(objects: dict[str, bytes], serial: int, other: int) -> str:
    """Over another record, or beyond the last one."""
    there = key(1 + other % (count(objects) + 2))
    assume(there != key(serial))
    objects[there] = objects[key(serial)]
    return there


def truncate_tail(objects: dict[str, bytes], serial: int, other: int) -> str:
    for number in range(serial, count(objects) + 1):
        del objects[key(number)]
    return key(serial)


def forge(objects: dict[str, bytes], serial: int, other: int) -> str:
    """Another story, and every record after it written again so that the hashes fit."""
    before: str | None = None
    for number in range(serial, count(objects) + 1):
        record = LedgerRecord.model_validate_json(objects[key(number)])
        changed = {"deployment": record.deployment.model_copy(update={"actor": f"mallory{other}"})}
        record = record.model_copy(update=changed if number == serial else {"previous": before})
        objects[key(number)] = record.to_json()
        before = digest_of(objects[key(number)])
    return key(serial)


def count(objects: dict[str, bytes]) -> int:
    return sum(name.startswith("dev/ledger/") for name in objects)


CHANGES = (delete, flip, cut, swap, duplicate, truncate_tail, forge)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_single_change_to_a_ledger_is_found_and_the_record_is_named(data: st.DataObject) -> None:
    length = data.draw(st.integers(1, N))
    serial = data.draw(st.integers(1, length))
    change = data.draw(st.sampled_from(CHANGES))
    objects = dict(_CHAINS[length])
    named = change(objects, serial, data.draw(st.integers(0, 5000)))
    found = read_history(MemoryStore(objects), "dev", check=True).faults
    assert any(fault.startswith(named) for fault in found), (change.__name__, serial, found)
    sound = [number for number in range(1, length + 1) if objects.get(key(number)) == _CHAINS[length][key(number)]]
    assert not [fault for fault in found for number in sound if fault.startswith(f"{key(number)} ")], found


@pytest.mark.parametrize("length", _CHAINS)
def test_a_correct_ledger_is_never_at_fault(length: int) -> None:
    history = read_history(MemoryStore(dict(_CHAINS[length])), "dev", check=True)
    assert (history.faults, len(history.records), len(history.states)) == ([], length, length)


def test_a_forged_record_is_named_and_those_written_again_after_it_are_told_in_one_sentence() -> None:
    objects = dict(_CHAINS[N])
    forge(objects, 3, 0)
    first, second = read_history(MemoryStore(objects), "dev", check=True).faults
    assert first.startswith("dev/ledger/3.json tells another story than state 3-")
    assert second.startswith(
        "dev/ledger/4.json to 9.json hold the hash of an altered record: written again after 3.json"
    )


def test_a_check_asks_once_for_each_record_and_state_and_many_at_a_time() -> None:
    store = MemoryStore(dict(_CHAINS[N]))
    together = Barrier(N, timeout=20)
    store.before = lambda call: together.wait() if "/ledger/" in call and call.startswith("get") else None
    assert read_history(store, "dev", check=True).faults == []
    assert len(store.calls) == 2 + 2 * N
