"""What was live at an earlier moment, from ledger and states."""

from datetime import timedelta

import pytest

from tests.fakes.chains import BEGIN, chain_of
from tests.fakes.memory_store import MemoryStore
from windlass.delivery.history.states import load_current
from windlass.delivery.history.then import Then, state_at, state_named
from windlass.delivery.place import Place
from windlass.spec.errors import DeliveryError

LENGTH = 40
_CHAIN = chain_of(LENGTH)


@pytest.fixture
def place() -> Place:
    """dev, whose state N was deployed N hours after BEGIN."""
    store = MemoryStore(dict(_CHAIN.objects))
    return Place("dev", "dev", store, store)


def at(place: Place, hours: float) -> Then:
    return state_at(place, BEGIN + timedelta(hours=hours))


def test_between_two_deployments_the_earlier_one_is_live(place: Place) -> None:
    for hours, serial in ((1, 1), (1.5, 1), (2, 2), (20.9, 20), (39.99, 39)):
        then = at(place, hours)
        assert then.state is not None
        assert (then.state.serial, then.until) == (serial, f"{BEGIN + timedelta(hours=serial + 1):%Y-%m-%dT%H:%M:%SZ}")


def test_after_the_last_deployment_its_state_is_live_still(place: Place) -> None:
    assert at(place, 1000) == Then(load_current(place.code, "dev").state, None)


def test_before_the_first_deployment_nothing_was_live(place: Place) -> None:
    assert at(place, 0.99) == Then(None, "2026-11-01T11:00:00Z")
    empty = Place("prod", "prod", place.code, place.models)
    assert at(empty, 5) == Then(None, None)


def test_a_state_is_found_by_serial_and_by_name(place: Place) -> None:
    then = state_named(place, "7")
    assert then.state is not None
    assert then.state.serial == 7
    assert state_named(place, then.state.name) == then
    for name in ("41", "7-000000000000"):
        with pytest.raises(DeliveryError, match=f"dev never had a state '{name}'; its last one is 40-"):
            state_named(place, name)


def test_where_records_are_lost_the_states_tell(place: Place) -> None:
    assert isinstance(place.code, MemoryStore)
    for serial in (40, 31, 30, 29):
        del place.code.objects[f"dev/ledger/{serial}.json"]
    place.code.objects["dev/ledger/20.json"] = b"broken"
    for serial in (40, 31, 30, 29, 28, 20, 19):
        then = at(place, serial + 0.5)
        assert then.state is not None
        assert then.state.serial == serial


def test_an_altered_state_is_not_shown(place: Place) -> None:
    assert isinstance(place.code, MemoryStore)
    key = next(key for key in place.code.objects if key.startswith("dev/states/5-"))
    place.code.objects[key] = place.code.objects[key].replace(b"ann", b"bob")
    with pytest.raises(DeliveryError, match="was altered"):
        at(place, 5.5)


def test_a_moment_of_today_costs_few_requests(place: Place) -> None:
    assert isinstance(place.code, MemoryStore)
    at(place, 39.5)
    assert len(place.code.calls) <= 1 + 16 + 1
