"""The ledger: complete after every crash, and telling when somebody rewrote it."""

import json

import pytest

from tests.delivery.conftest import World
from windlass.delivery.ledger import complete_ledger, read_history
from windlass.delivery.states import load_current

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
    assert complete_ledger(delivered.store, "stage", live) == 2
    assert {key: delivered.store.objects[key] for key in keys} == before
    assert complete_ledger(delivered.store, "stage", live) == 0


def test_a_missing_record_is_found(delivered: World) -> None:
    del delivered.store.objects["stage/ledger/2.json"]
    assert faults(delivered) == ["stage/ledger/2.json is missing"]


def test_a_rewritten_record_is_found_in_the_chain_and_in_the_state(delivered: World) -> None:
    record = json.loads(delivered.store.objects["stage/ledger/2.json"])
    record["deployment"]["actor"] = "mallory"
    forged = (json.dumps(record, sort_keys=True, indent=1) + "\n").encode()
    delivered.store.objects["stage/ledger/2.json"] = forged
    found = faults(delivered)
    assert any("2.json tells another story than state" in fault for fault in found)
    assert any("3.json does not follow the record before it" in fault for fault in found)


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
