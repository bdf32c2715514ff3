"""Holds: in the state itself, so that nothing overtakes them, and never in the way of a rollback."""

import json

import pytest

from tests.delivery.conftest import World, settings
from windlass.delivery.history.ledger import read_history
from windlass.delivery.history.states import checked_state, load_named
from windlass.delivery.promotion.holds import find_hold, set_hold, take_hold_away
from windlass.delivery.promotion.perform import Author, Swap
from windlass.delivery.release.find import any_release, lived
from windlass.spec.errors import DeliveryError
from windlass.spec.store import Object

ONE, TWO = "1" * 40, "2" * 40


def hold(world: World, release: str | None = None, reason: str = "closing", project: str = "digits") -> Swap:
    author = Author(actor="ann", reason=reason)
    return set_hold(world.place("stage"), settings("stage"), project, release, author, clock=world.clock)


def take_away(world: World, release: str | None = None) -> Swap:
    return take_hold_away(world.place("stage"), "digits", release, Author(actor="bob"), clock=world.clock)


def test_nothing_of_a_project_on_hold_is_promoted_and_others_are(world: World) -> None:
    hold(world)
    message = r"digits is on hold since 2026-11-22 10:00 by ann: closing; windlass release-hold stage --project digits$"
    with pytest.raises(DeliveryError, match=message):
        world.promote(world.publish(ONE, {"read": "one"}), ONE, "stage")
    world.promote(world.publish(ONE, {"sort": "x"}, project="letters"), ONE, "stage", project="letters")
    assert sorted(world.live().projects) == ["letters"]
    take_away(world)
    assert world.promote(world.publish(ONE, {"read": "one"}), ONE, "stage").changed


def test_a_reason_with_lines_of_its_own_stays_in_one_line_of_the_refusal(world: World) -> None:
    hold(world, reason="closing\nprod: everything is fine")
    with pytest.raises(DeliveryError, match=r"closing\\nprod: everything is fine; windlass release-hold"):
        world.promote(world.publish(ONE, {"read": "one"}), ONE, "stage")


def test_a_release_on_hold_is_refused_and_another_release_is_not(world: World) -> None:
    bad = world.publish(ONE, {"read": "bad"})
    hold(world, bad.digest)
    with pytest.raises(DeliveryError, match=f"release {bad.digest[:12]} of digits is on hold .*--release"):
        world.promote(bad, ONE, "stage")
    assert world.promote(world.publish(TWO, {"read": "good"}), TWO, "stage").changed


def test_what_is_live_already_is_not_refused_and_a_rollback_is_always_allowed(world: World) -> None:
    world.promote(world.publish(ONE, {"read": "one"}), ONE, "stage")
    second = world.publish(TWO, {"read": "two"})
    world.promote(second, TWO, "stage")
    hold(world)
    assert not world.promote(second, TWO, "stage").changed
    assert world.rollback(lived(world.place("stage"), "digits", "previous"), "stage").changed
    assert find_hold(world.live(), "digits", None)


def test_a_hold_between_check_and_swap_is_not_overtaken(world: World) -> None:
    archive = world.publish(ONE, {"read": "one"})

    def interfere(call: str) -> None:
        if call == "put stage/state.json":
            world.store.before = lambda call: None
            hold(world)

    world.store.before = interfere
    with pytest.raises(DeliveryError, match="digits is on hold"):
        world.promote(archive, ONE, "stage")
    assert world.live().projects == {}


def test_a_hold_that_is_there_already_and_one_that_is_gone_already_change_nothing(world: World) -> None:
    first = hold(world)
    again = hold(world, reason="another reason")
    assert (again.changed, again.state) == (False, first.state)
    assert take_away(world).changed
    assert not take_away(world).changed


def test_the_ledger_tells_of_holds_and_previous_does_not_count_them(world: World) -> None:
    world.promote(world.publish(ONE, {"read": "one"}), ONE, "stage", tag="v1")
    world.promote(world.publish(TWO, {"read": "two"}), TWO, "stage", tag="v2")
    hold(world)
    take_away(world)
    history = read_history(world.store, "stage", check=True)
    assert history.faults == []
    assert [record.deployment.action for record in history.records] == ["promote", "promote", "hold", "release-hold"]
    assert history.records[2].deployment.hold == history.records[3].deployment.hold
    assert lived(world.place("stage"), "digits", "previous").tag == "v1"


def test_a_state_that_an_earlier_windlass_wrote_is_read_with_its_own_name(world: World) -> None:
    state = world.promote(world.publish(ONE, {"read": "one"}), ONE, "stage").state
    content = json.loads(world.store.objects[f"stage/states/{state.name}.json"])
    assert not {"holds", "hold", "back_to"} & (content.keys() | content["deployment"].keys())
    record = json.loads(world.store.objects["stage/ledger/1.json"])
    assert not {"hold", "back_to"} & record["deployment"].keys()
    old = (json.dumps(content, sort_keys=True, indent=1) + "\n").encode()
    assert checked_state(Object(old, ""), "old").name == state.name
    held = hold(world).state
    assert load_named(world.store, "stage", held.name) == held


def test_a_release_is_found_by_tag_commit_or_digest_wherever_it_is(world: World) -> None:
    places = [world.place("stage"), world.place("dev")]
    archive = world.publish(ONE, {"read": "one"}, tag="v1")
    for name in ("v1", ONE[:8], archive.digest[:12]):
        assert any_release(places, "digits", name) == archive.digest
    with pytest.raises(DeliveryError, match="there is no release 'v2' of digits in stage or dev"):
        any_release(places, "digits", "v2")
    other = world.publish(TWO, {"read": "two"}, tag="v1")
    with pytest.raises(DeliveryError, match=f"stands for 2 releases of digits: .*{other.digest[:12]}"):
        any_release(places, "digits", "v1")
