"""Promotion and rollback over a store that may fail at any call, lose answers, or be shared with others."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.delivery.conftest import NOW, World
from windlass.delivery.history.ledger import read_history
from windlass.delivery.history.states import load_current, load_named, require_preconditions
from windlass.delivery.release.find import lived
from windlass.spec.errors import DeliveryError, ServiceError, TransientError

ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40
OLD, NEW = "a" * 16, "b" * 16


class Killed(BaseException):
    """The process ends here: nothing may catch it."""


def delivered(world: World) -> dict[str, bytes]:
    return {key: value for key, value in world.store.objects.items() if key.startswith("stage/")}


def test_a_promotion_brings_models_release_and_provenance_before_the_state_and_the_ledger_last(world: World) -> None:
    world.train(OLD, 0.95)
    archive = world.publish(ONE, {"read": "one"}, {"digits": OLD})
    world.store.calls.clear()
    outcome = world.promote(archive, ONE, "stage", tag="v1")
    writes = [call.split("/")[1:3] for call in world.store.calls if call.startswith(("put stage/", "copy stage/"))]
    assert writes == [
        [".preconditions"],
        [".preconditions"],
        ["digits", OLD],
        ["digits", OLD],
        ["releases", "digits"],
        ["provenance", "digits"],
        ["states", f"{outcome.state.name}.json"],
        ["state.json"],
        ["ledger", "1.json"],
    ]
    live = outcome.state.projects["digits"]
    assert (live.release, live.commit, live.tag, live.models) == (archive.digest, ONE, "v1", {"digits": OLD})
    assert outcome.state.deployment.actor == "ann"
    assert outcome.state.deployment.at == NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert load_named(world.store, "stage", outcome.state.name) == outcome.state


def test_the_same_bytes_are_in_every_environment(world: World) -> None:
    archive = world.publish(ONE, {"read": "one"})
    world.promote(archive, ONE, "stage")
    world.promote(archive, ONE, "prod", source="stage")
    keys = [key for key in world.store.objects if key.endswith(f"{archive.digest}.tar.gz")]
    assert sorted(key.split("/")[0] for key in keys) == ["dev", "prod", "stage"]
    assert {world.store.objects[key] for key in keys} == {archive.content}


def test_the_same_promotion_again_changes_nothing(world: World) -> None:
    archive = world.publish(ONE, {"read": "one"})
    world.promote(archive, ONE, "stage")
    before = delivered(world)
    outcome = world.promote(archive, ONE, "stage")
    assert not outcome.changed
    assert outcome.plan.describe() == [f"stage: digits is at 11111111 ({archive.digest[:12]}) already; nothing to do"]
    assert delivered(world) == before


def test_a_failed_gate_leaves_everything_as_it_was(world: World) -> None:
    world.promote(world.publish(ONE, {"read": "one"}, {"digits": world.train(OLD, 0.97)}), ONE, "stage")
    before = delivered(world)
    worse = world.publish(TWO, {"read": "one"}, {"digits": world.train(NEW, 0.95)})
    with pytest.raises(
        DeliveryError, match=r"stage stays as it is: model 'digits', version b+: metric 'accuracy' is 0.95"
    ):
        world.promote(worse, TWO, "stage")
    assert delivered(world) == before


def test_an_altered_release_or_model_stops_the_promotion_before_anything_is_written(world: World) -> None:
    world.train(OLD, 0.95)
    archive = world.publish(ONE, {"read": "one"}, {"digits": OLD})
    release = f"dev/releases/digits/{archive.digest}.tar.gz"
    weights = next(key for key in world.store.objects if key.endswith("digits.joblib"))
    for key, message in (
        (weights, "file 'digits.joblib' in dev was altered"),
        (release, r"release \w+ of digits in dev was altered"),
    ):
        good, world.store.objects[key] = world.store.objects[key], b"something else"
        with pytest.raises(DeliveryError, match=message):
            world.promote(archive, ONE, "stage")
        world.store.objects[key] = good
        assert load_current(world.store, "stage").state is None
    assert not [key for key in delivered(world) if key.endswith(".tar.gz")]


def test_a_lost_swap_is_planned_again_and_nobodys_change_is_lost(world: World) -> None:
    mine = world.publish(ONE, {"read": "one"})
    other = world.publish(TWO, {"sort": "abc"}, project="letters")

    def interfere(call: str) -> None:
        if call == "put stage/state.json":
            world.store.before = lambda call: None
            world.promote(other, TWO, "stage", project="letters")

    world.store.before = interfere
    outcome = world.promote(mine, ONE, "stage")
    assert outcome.state.serial == 2
    assert sorted(outcome.state.projects) == ["digits", "letters"]
    assert world.slept
    assert read_history(world.store, "stage", check=True).faults == []


def test_a_gate_is_checked_again_after_a_lost_swap(world: World) -> None:
    world.train(OLD, 0.95)
    mine = world.publish(ONE, {"read": "one"}, {"digits": OLD})
    better = world.publish(TWO, {"read": "two"}, {"digits": world.train(NEW, 0.99)})

    def interfere(call: str) -> None:
        if call == "put stage/state.json":
            world.store.before = lambda call: None
            world.promote(better, TWO, "stage")

    world.store.before = interfere
    with pytest.raises(DeliveryError, match=r"below the live version's 0\.99"):
        world.promote(mine, ONE, "stage")
    live = load_current(world.store, "stage").state
    assert live is not None
    assert live.projects["digits"].commit == TWO


def test_a_swap_whose_answer_got_lost_counts_as_done(world: World) -> None:
    archive = world.publish(ONE, {"read": "one"})
    plain_put = world.store.put

    def put(key: str, content: bytes, **condition: object) -> str:
        if key == "stage/state.json":
            plain_put(key, content, **condition)
        return plain_put(key, content, **condition)  # what a repeated request does

    world.store.put = put
    outcome = world.promote(archive, ONE, "stage")
    assert outcome.changed
    assert outcome.state.serial == 1
    assert read_history(world.store, "stage", check=True).faults == []


def test_sixteen_projects_promoted_at_once_are_all_live_and_the_ledger_is_whole(world: World) -> None:
    archives = {f"p{n}": world.publish(ONE, {f"read{n}": "x"}, project=f"p{n}") for n in range(16)}
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda item: world.promote(item[1], ONE, "stage", project=item[0]), archives.items()))
    state = load_current(world.store, "stage").state
    assert state is not None
    assert sorted(state.projects) == sorted(archives)
    history = read_history(world.store, "stage", check=True)
    assert history.faults == []
    assert len(history.records) == state.serial == 16


def test_a_rollback_is_one_swap_back_to_the_earlier_release(world: World) -> None:
    world.train(OLD, 0.95)
    world.train(NEW, 0.99)
    first = world.publish(ONE, {"read": "one"}, {"digits": OLD})
    world.promote(first, ONE, "stage", tag="v1")
    world.promote(world.publish(TWO, {"read": "two"}, {"digits": NEW}), TWO, "stage", tag="v2")
    world.store.calls.clear()
    outcome = world.rollback(lived(world.place("stage"), "digits", "previous"), "stage")
    assert outcome.state.projects["digits"].tag == "v1"
    assert outcome.state.deployment.action == "rollback"
    assert outcome.state.deployment.reason == "wrong"
    assert [call for call in world.store.calls if call.endswith("stage/state.json") and call.startswith("put")] == [
        "put stage/state.json"
    ]
    again = world.rollback(lived(world.place("stage"), "digits", "previous"), "stage")
    assert not again.changed


@pytest.mark.parametrize("meanwhile", ["rollback", "another project"])
def test_a_promotion_that_is_under_way_does_not_undo_a_rollback(world: World, meanwhile: str) -> None:
    world.promote(world.publish(ONE, {"read": "one"}), ONE, "stage", tag="v1")
    world.promote(world.publish(TWO, {"read": "two"}), TWO, "stage", tag="v2")
    letters = world.publish(ONE, {"spell": "a"}, project="letters")
    third = world.publish(THREE, {"read": "three"})
    waiting = [meanwhile]

    def interfere(call: str) -> None:
        if call == "put stage/state.json" and waiting:
            waiting.clear()
            if meanwhile == "rollback":
                world.rollback(lived(world.place("stage"), "digits", "previous"), "stage")
            world.promote(letters, ONE, "stage", project="letters")

    world.store.before = interfere
    if meanwhile == "rollback":
        with pytest.raises(DeliveryError, match=r"was rolled back by .* while this promotion was under way"):
            world.promote(third, THREE, "stage", tag="v3")
        assert live_tag(world) == "v1"
    assert world.promote(third, THREE, "stage", tag="v3").changed, "asked for again, it goes through"
    assert live_tag(world) == "v3"
    assert read_history(world.store, "stage", check=True).faults == []


def live_tag(world: World) -> str | None:
    state = load_current(world.store, "stage").state
    assert state is not None
    return state.projects["digits"].tag


def test_a_store_that_ignores_preconditions_is_refused(world: World) -> None:
    plain_put = world.store.put
    for ignored in ("if_absent", "if_match"):
        world.store.objects.clear()

        def careless(key: str, content: bytes, ignored: str = ignored, **condition: object) -> str:
            condition.pop(ignored, None)
            return plain_put(key, content, **condition)

        world.store.put = careless
        with pytest.raises(ServiceError, match="two deployments at once could undo each other"):
            require_preconditions(world.store, "stage")


def test_a_swap_that_is_lost_for_ever_ends_with_try_again(world: World) -> None:
    archive = world.publish(ONE, {"read": "one"})
    others = iter(range(1000))

    def interfere(call: str) -> None:
        if call == "put stage/state.json":
            world.store.objects["stage/state.json"] = rewritten(world, next(others))

    world.promote(archive, ONE, "stage")
    world.store.before = interfere
    with pytest.raises(TransientError, match="being changed all the time"):
        world.promote(world.publish(TWO, {"read": "two"}), TWO, "stage")


def rewritten(world: World, number: int) -> bytes:
    state = load_current(world.store, "stage").state
    assert state is not None
    deployment = state.deployment.model_copy(update={"reason": str(number)})
    return state.model_copy(update={"deployment": deployment}).to_json()


def scenario(world: World, step: str) -> None:
    """`step` of a small history: what is injected into, and what is run again afterwards."""
    if step == "promote":
        world.promote(world.publish(TWO, {"read": "two", "new": "n"}, {"digits": NEW}), TWO, "stage", tag="v2")
    else:
        world.rollback(lived(world.place("stage"), "digits", "v1"), "stage")


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", ["promote", "rollback"])
def test_a_crash_at_any_store_call_leaves_old_or_new_and_the_same_command_finishes_it(
    step: str, moment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def prepared() -> World:
        world = World()
        world.train(OLD, 0.95)
        world.train(NEW, 0.96)
        world.promote(world.publish(ONE, {"read": "one"}, {"digits": OLD}), ONE, "stage", tag="v1")
        if step == "rollback":
            scenario(world, "promote")
        else:
            world.publish(TWO, {"read": "two", "new": "n"}, {"digits": NEW})
        world.store.calls.clear()
        return world

    whole = prepared()
    before = load_current(whole.store, "stage").state
    whole.store.calls.clear()
    scenario(whole, step)
    points = len(whole.store.calls)
    after = load_current(whole.store, "stage").state
    assert before is not None
    assert after is not None
    assert after.serial == before.serial + 1

    olds = news = 0
    for point in range(points):
        world, count = prepared(), iter(range(points + 1))

        def crash(call: str, point: int = point, count: object = count) -> None:
            if next(count) == point:
                raise Killed(call)

        setattr(world.store, moment, crash)
        with pytest.raises(Killed):
            scenario(world, step)
        setattr(world.store, moment, lambda call: None)
        live = load_current(world.store, "stage").state
        assert live is not None
        assert live.projects in (before.projects, after.projects), f"point {point}"
        olds, news = olds + (live.projects == before.projects), news + (live.projects == after.projects)
        load_named(world.store, "stage", live.name)
        scenario(world, step)
        final = load_current(world.store, "stage").state
        assert final is not None
        assert final.projects == after.projects, f"point {point}"
        assert final.serial == after.serial, f"point {point}: done twice"
        assert read_history(world.store, "stage", check=True).faults == [], f"point {point}"
        world.promote(world.publish(THREE, {"x": "y"}, project="letters"), THREE, "stage", project="letters")
        assert read_history(world.store, "stage", check=True).faults == [], f"point {point}"
    assert olds
    assert news
    with capsys.disabled():
        sys.stdout.write(f"\n{step}: crash {moment} each of {points} store calls: {olds} old states, {news} new ones\n")
