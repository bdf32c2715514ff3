"""The way back through many states: the same as one by one, whatever else lies there, in few turns."""

import threading

import pytest

from tests.delivery.conftest import World
from windlass.delivery.history.backwards import earlier_states
from windlass.delivery.history.ledger import ledger_end
from windlass.delivery.history.states import copy_key, load_named, pointer_key
from windlass.delivery.release.find import lived
from windlass.spec.errors import DeliveryError
from windlass.spec.state import State

STATES = 120


@pytest.fixture
def busy(world: World) -> World:
    """A project that was promoted twice, and then another one that was promoted again and again."""
    for number, commit in enumerate(("1" * 40, "2" * 40)):
        world.promote(world.publish(commit, {"read": f"{number}"}), commit, "stage", tag=f"v{number}")
    archive = world.publish("3" * 40, {"sort": "abc"}, project="letters")
    live = world.promote(archive, "3" * 40, "stage", project="letters").state
    while live.serial < STATES:
        deployment = live.deployment.model_copy(update={"reason": str(live.serial)})
        live = live.model_copy(update={"serial": live.serial + 1, "previous": live.name, "deployment": deployment})
        world.store.objects[copy_key("stage", live.name)] = live.to_json()
    world.store.objects[pointer_key("stage")] = live.to_json()
    ledger_end(world.store, "stage", live)
    return world


def one_by_one(world: World) -> list[State]:
    found, state = [], world.live()
    while state.previous:
        state = load_named(world.store, "stage", state.previous)
        found.append(state)
    return found


def test_the_states_are_those_that_the_chain_names(busy: World) -> None:
    assert list(earlier_states(busy.store, "stage", busy.live())) == one_by_one(busy)


def test_states_that_lost_a_swap_or_were_put_there_by_somebody_change_nothing(busy: World) -> None:
    expected = one_by_one(busy)
    for state in expected[::3]:
        lost = state.model_copy(update={"deployment": state.deployment.model_copy(update={"reason": "lost"})})
        busy.store.objects[copy_key("stage", lost.name)] = lost.to_json()
    for name in ("999999999-0123456789ab", "50-0123456789ab", "no state", "7-x"):
        busy.store.objects[copy_key("stage", name)] = b"{"
    assert list(earlier_states(busy.store, "stage", busy.live())) == expected


def test_a_state_that_is_gone_is_named_when_the_way_back_comes_to_it(busy: World) -> None:
    names = [state.name for state in one_by_one(busy)]
    del busy.store.objects[copy_key("stage", names[60])]
    found: list[str] = []
    with pytest.raises(DeliveryError, match=f"there is no state '{names[60]}'"):
        found.extend(state.name for state in earlier_states(busy.store, "stage", busy.live()))
    walk = earlier_states(busy.store, "stage", busy.live())
    assert [next(walk).name for _ in range(60)] == names[:60]


def test_who_goes_back_a_little_asks_for_a_little(busy: World) -> None:
    live = busy.live()
    busy.store.calls.clear()
    walk = earlier_states(busy.store, "stage", live)
    for _ in range(3):
        next(walk)
    assert len(busy.store.calls) == 3


def test_what_was_live_before_a_hundred_deployments_of_others_is_found_in_few_turns(busy: World) -> None:
    """Turns are counted by the threads that ask: many at once, and seldom one alone."""
    askers: list[str] = []
    busy.store.before = lambda call: askers.append(threading.current_thread().name)
    assert lived(busy.place("stage"), "digits", "previous").tag == "v0"
    alone = askers.count(threading.main_thread().name)
    assert alone <= 6
    assert len(askers) <= STATES + 6
