"""A whole environment goes back in one swap."""

import pytest

from tests.delivery.conftest import World, settings
from windlass.delivery.history.ledger import read_history
from windlass.delivery.promotion.go_back import Return, go_back
from windlass.delivery.promotion.holds import set_hold
from windlass.delivery.promotion.perform import Author, Swap
from windlass.delivery.release.find import lived, state_meant
from windlass.spec.errors import DeliveryError
from windlass.spec.release import release_key
from windlass.spec.state import State

ONE, TWO = "1" * 40, "2" * 40


@pytest.fixture
def past(world: World) -> list[State]:
    """Two projects, then a second release of one, then of the other."""
    return [
        world.promote(
            world.publish(commit, {f"{project}_dag": commit}, project=project), commit, "stage", project=project
        ).state
        for commit, project in ((ONE, "digits"), (ONE, "letters"), (TWO, "digits"), (TWO, "letters"))
    ]


def back(world: World, to: str) -> tuple[Return, Swap]:
    place = world.place("stage")
    return go_back(place, state_meant(place, to), Author(actor="ann", reason="all is wrong"), clock=world.clock)


def test_every_project_goes_back_in_one_swap_and_one_record(world: World, past: list[State]) -> None:
    world.store.calls.clear()
    change, swap = back(world, "2")
    assert swap.state.projects == past[1].projects
    assert [call for call in world.store.calls if call == "put stage/state.json"] == ["put stage/state.json"]
    assert change.describe()[0] == f"stage: from {past[3].name} to what was live in {past[1].name}"
    assert [line[:11] for line in change.describe()[1:]] == ["  ~ digits ", "  ~ letters"]
    record = read_history(world.store, "stage", check=True).records[-1].deployment
    assert (record.action, record.project, record.back_to) == ("rollback", None, past[1].name)
    assert read_history(world.store, "stage", check=True).faults == []


def test_a_project_that_did_not_exist_then_is_gone(world: World, past: list[State]) -> None:
    change, swap = back(world, past[0].name)
    assert sorted(swap.state.projects) == ["digits"]
    assert f"  - letters from 22222222 ({past[3].projects['letters'].release[:12]}) to nothing" in change.describe()


def test_asking_again_changes_nothing_whatever_it_was_called(world: World, past: list[State]) -> None:
    _, first = back(world, "previous")
    assert first.state.projects == past[2].projects
    for name in ("previous", "3", past[2].name):
        change, again = back(world, name)
        assert (again.changed, change.is_done) == (False, True)


def test_previous_for_one_project_counts_the_return_of_all(world: World, past: list[State]) -> None:
    back(world, "2")
    assert lived(world.place("stage"), "digits", "previous").commit == ONE, "it is back already"


def test_previous_of_a_project_that_the_return_left_alone_is_what_its_promotion_replaced(
    world: World, past: list[State]
) -> None:
    back(world, "3")
    assert lived(world.place("stage"), "digits", "previous").commit == ONE
    assert lived(world.place("stage"), "letters", "previous").commit == ONE


def test_settings_go_back_and_holds_stay(world: World, past: list[State]) -> None:
    place = world.place("stage")
    moved = settings("stage").model_copy(update={"images": {"python": "python:3.13"}})
    live = world.live()
    world.store.objects["stage/state.json"] = live.model_copy(update={"environment": moved}).to_json()
    world.store.objects[f"stage/states/{world.live().name}.json"] = world.live().to_json()
    set_hold(place, moved, "digits", None, Author(reason="closing"), clock=world.clock)
    change, swap = back(world, past[2].name)
    assert change.settings_changed
    assert swap.state.environment == past[2].environment
    assert [hold.project for hold in swap.state.holds] == ["digits"]


def test_a_release_that_is_gone_stops_it_before_anything_changes(world: World, past: list[State]) -> None:
    del world.store.objects[release_key("stage", "digits", past[0].projects["digits"].release)]
    with pytest.raises(DeliveryError, match="is not in stage"):
        back(world, "2")
    assert world.live() == past[3]


def test_a_state_that_never_was_is_refused_with_those_that_were(world: World, past: list[State]) -> None:
    with pytest.raises(DeliveryError, match=f"never had a state '9'; these it had, newest first: {past[3].name}"):
        state_meant(world.place("stage"), "9")
    with pytest.raises(DeliveryError, match="nothing was ever promoted to prod"):
        state_meant(world.place("prod"), "previous")
