"""A project is taken out of an environment: alone, once, whatever goes wrong, and nothing else changes."""

from contextlib import suppress
from dataclasses import replace

import pytest

from tests.delivery.conftest import NOW, World, settings
from tests.fakes.memory_store import MemoryStore
from tests.gc.landscape import Landscape
from windlass.delivery.history.ledger import read_history
from windlass.delivery.history.states import load_named
from windlass.delivery.metrics.came import read_log
from windlass.delivery.plain.verify import expectation
from windlass.delivery.plan.plan import Origin
from windlass.delivery.promotion.freeze import freeze
from windlass.delivery.promotion.go_back import go_back
from windlass.delivery.promotion.holds import set_hold
from windlass.delivery.promotion.perform import Author, perform
from windlass.delivery.promotion.remove import Removal, plan_removal, remove
from windlass.delivery.promotion.survey import deciding_promotion
from windlass.delivery.release.archive import read_archive
from windlass.delivery.release.find import state_meant
from windlass.delivery.review.reviews import closed_ones, reviews_of
from windlass.delivery.review.rows import clear_rows
from windlass.delivery.review.up import deciding_review
from windlass.spec.airflow import DagReport
from windlass.spec.errors import DeliveryError, ServiceError, TransientError
from windlass.spec.state import State

ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40
REVIEW = "digits_mr7"
ANN = Author(actor="ann", reason="closed")


@pytest.fixture
def world() -> World:
    return World()


def with_review(world: World) -> State:
    """dev with the real project and a review of it."""
    world.promote(world.publish(ONE, {"read": "one"}), ONE, "dev")
    up(world, TWO, "two")
    return world.live("dev")


def up(world: World, commit: str, word: str, review: str = REVIEW) -> bool:
    archive = world.publish(commit, {f"read_{review.rpartition('_')[2]}": word}, project=review)
    release = read_archive(review, archive.digest, archive.content)
    place = world.place("dev")
    decide = deciding_review(place, settings("dev"), release, Origin(commit))
    return perform(decide, place, place, Author(actor="ann"), clock=world.clock).changed


def down(world: World, review: str = REVIEW) -> Removal:
    return remove(world.place("dev"), review, ANN, clock=world.clock)[0]


def test_a_review_lives_beside_the_real_project_and_goes_alone(world: World) -> None:
    before = with_review(world)
    assert sorted(before.projects) == ["digits", REVIEW]
    assert down(world).describe() == [
        f"dev: {REVIEW} is taken out (release {before.projects[REVIEW].release[:12]})",
        "  - pipeline read_mr7",
    ]
    after = world.live("dev")
    assert after.projects == {"digits": before.projects["digits"]}
    assert (after.serial, after.environment) == (before.serial + 1, before.environment)
    history = read_history(world.store, "dev", check=True)
    assert history.faults == []
    done = history.records[-1].deployment
    assert (done.action, done.project, done.replaces) == ("remove", REVIEW, before.projects[REVIEW].release)
    assert (done.actor, done.reason) == ("ann", "closed")


def test_what_is_out_stays_out_without_another_state(world: World) -> None:
    with_review(world)
    down(world)
    state = world.live("dev")
    assert down(world).is_done
    assert down(world, "digits_mr8").describe() == ["dev has no digits_mr8; nothing to do"]
    assert world.live("dev") == state
    assert remove(World().place("dev"), REVIEW, ANN)[1] is None, "nothing was ever live there"


def test_another_push_takes_the_place_of_the_one_before_and_two_reviews_do_not_meet(world: World) -> None:
    with_review(world)
    assert up(world, THREE, "three")
    assert not up(world, THREE, "three")
    assert up(world, TWO, "eight", "digits_mr8")
    live = world.live("dev").projects
    assert (live[REVIEW].commit, live["digits_mr8"].commit, live["digits"].commit) == (THREE, TWO, ONE)
    down(world)
    assert sorted(world.live("dev").projects) == ["digits", "digits_mr8"]


def test_a_review_does_not_bring_the_settings_of_its_branch(world: World) -> None:
    state = with_review(world)
    archive = world.publish(THREE, {"read_mr7": "x"}, project=REVIEW)
    changed = settings("dev").model_copy(update={"images": {"python": "evil"}})
    release = read_archive(REVIEW, archive.digest, archive.content)
    plan = deciding_review(world.place("dev"), changed, release, Origin(THREE))(state)
    assert (plan.settings, plan.settings_changed) == (state.environment, False)


def test_a_review_is_not_promoted_further_and_the_real_project_is_no_review(world: World) -> None:
    with_review(world)
    archive = world.publish(TWO, {"read_mr7": "two"}, project=REVIEW)
    with pytest.raises(DeliveryError, match=f"{REVIEW} is a review and stays in dev: merge the request"):
        world.promote(archive, TWO, "stage", project=REVIEW)
    release = read_archive(REVIEW, archive.digest, archive.content)
    with pytest.raises(DeliveryError, match="is a review"):
        deciding_promotion(world.place("stage"), world.place("prod"), settings("prod"), release, Origin(TWO))
    real = world.publish(ONE, {"read": "one"})
    with pytest.raises(DeliveryError, match="digits is no review; windlass promote delivers it"):
        deciding_review(
            world.place("dev"), settings("dev"), read_archive("digits", real.digest, real.content), Origin(ONE)
        )


def test_a_frozen_environment_takes_no_review_and_lets_one_go(world: World) -> None:
    with_review(world)
    freeze(world.place("dev"), settings("dev"), Author(actor="bob", reason="moving"), clock=world.clock)
    with pytest.raises(DeliveryError, match="frozen"):
        up(world, THREE, "three")
    assert not down(world).is_done
    assert world.live("dev").frozen


def test_the_holds_of_a_review_go_with_it_and_no_others(world: World) -> None:
    with_review(world)
    for project in ("digits", REVIEW):
        set_hold(world.place("dev"), settings("dev"), project, None, Author(actor="bob", reason="x"), clock=world.clock)
    down(world)
    assert [hold.project for hold in world.live("dev").holds] == ["digits"]


def test_a_review_that_was_under_way_does_not_come_back_after_its_end(world: World) -> None:
    with_review(world)

    def interfere(call: str) -> None:
        if call == "put dev/state.json":
            world.store.before = lambda call: None
            down(world)

    world.store.before = interfere
    with pytest.raises(DeliveryError, match=f"dev stays as it is: {REVIEW} was taken out by ann"):
        up(world, THREE, "three")
    assert sorted(world.live("dev").projects) == ["digits"]
    assert up(world, THREE, "three"), "and by another job it does"


def test_an_environment_that_goes_back_leaves_reviews_as_they_are(world: World) -> None:
    earlier = with_review(world)
    world.promote(world.publish(TWO, {"read": "two"}), TWO, "dev")
    down(world)
    up(world, THREE, "eight", "digits_mr8")
    back, _ = go_back(world.place("dev"), earlier, Author(actor="ann"), clock=world.clock)
    assert list(back.projects) == ["digits"]
    live = world.live("dev").projects
    assert (sorted(live), live["digits"].commit) == (["digits", "digits_mr8"], ONE)
    assert world.live("dev").deployment.back_to == earlier.name


def test_the_state_before_is_the_one_before_the_real_project_changed(world: World) -> None:
    world.promote(world.publish(ONE, {"read": "one"}), ONE, "dev")
    first = world.live("dev")
    world.promote(world.publish(TWO, {"read": "two"}), TWO, "dev")
    up(world, THREE, "three")
    assert state_meant(world.place("dev"), "previous").projects == first.projects
    down(world)
    assert state_meant(world.place("dev"), "previous").projects == first.projects


def test_a_review_after_a_rollback_does_not_make_another_one_go_forth_again(world: World) -> None:
    world.promote(world.publish(ONE, {"read": "one"}), ONE, "dev")
    first = world.live("dev").projects["digits"]
    world.promote(world.publish(TWO, {"read": "two"}), TWO, "dev")
    world.rollback(first, "dev")
    up(world, THREE, "three")
    assert state_meant(world.place("dev"), "previous") == world.live("dev")


def test_gc_keeps_of_all_reviews_together_what_it_keeps_of_one_project() -> None:
    land = Landscape()
    land.promote(land.release(1), 1, "dev")
    for iid in (7, 8, 9):
        land.promote(land.release(iid, project=f"digits_mr{iid}"), iid, "dev", project=f"digits_mr{iid}")
        land.days += 100
    for iid in (7, 8):
        remove(land.world.place("dev"), f"digits_mr{iid}", ANN)
    assert [(kind, owner) for kind, owner, _ in land.gc(keep=2)] == [("release", "digits_mr7")]
    assert land.missing() == []
    remove(land.world.place("dev"), "digits_mr9", ANN)
    assert [(kind, owner) for kind, owner, _ in land.gc(keep=1)] == [("release", "digits_mr8")]


def test_plain_files_of_a_review_come_and_go_and_a_removal_that_was_interrupted_is_finished(world: World) -> None:
    place = replace(world.place("dev"), plain=True)
    archive = world.publish(TWO, {"read_mr7": "two"}, project=REVIEW)
    decide = deciding_review(place, settings("dev"), read_archive(REVIEW, archive.digest, archive.content), Origin(TWO))

    def files() -> list[str]:
        return [key for key in world.store.objects if key.startswith(f"dev/dags/{REVIEW}/")]

    def stop(call: str) -> None:
        if call.startswith("delete dev/dags"):
            raise Lost(call)

    perform(decide, place, place, Author(actor="ann"), clock=world.clock)
    assert files()
    world.store.before = stop
    with pytest.raises(Lost):
        remove(place, REVIEW, ANN, clock=world.clock)
    _calm(world.store)
    assert files()
    assert world.live("dev").projects == {}
    removal, swap = remove(place, REVIEW, ANN, clock=world.clock)
    assert (removal.is_done, files()) == (True, [])
    assert swap is not None
    assert expectation(place, swap.state, REVIEW).dag_ids == []


def test_reviews_are_no_deliveries_of_which_metrics_tell(world: World) -> None:
    with_review(world)
    down(world)
    came = read_log(world.place("dev"), NOW.replace(year=2020), None, lambda one, other: [])
    assert [one.project for one in came.came] == ["digits"]


class Lost(TransientError):
    """A request that failed."""


@pytest.mark.parametrize("is_done", [False, True], ids=["before", "after"])
def test_wherever_it_is_interrupted_the_review_is_in_or_out_and_the_next_try_ends_it(is_done: bool) -> None:
    points, outcomes = 0, set()
    while True:
        world = World()
        before = with_review(world)
        count = [0]

        def fail(call: str, count: list[int] = count, point: int = points) -> None:
            count[0] += 1
            if count[0] - 1 == point:
                raise Lost(call)

        world.store.__dict__["after" if is_done else "before"] = fail
        with suppress(Lost):
            down(world)
        _calm(world.store)
        state = world.live("dev")
        outcomes.add(REVIEW in state.projects)
        assert state.projects["digits"] == before.projects["digits"]
        assert load_named(world.store, "dev", state.name) == state
        down(world)
        state = world.live("dev")
        assert (sorted(state.projects), state.serial) == (["digits"], before.serial + 1)
        down(world)
        world.promote(world.publish(THREE, {"read": "three"}), THREE, "dev")
        history = read_history(world.store, "dev", check=True)
        assert history.faults == []
        actions = [record.deployment.action for record in history.records]
        assert actions == ["promote", "promote", "remove", "promote"]
        if count[0] <= points:
            break
        points += 1
    assert points == 7, "each call is a point"
    assert outcomes == {True, False}


def _calm(store: MemoryStore) -> None:
    store.before = store.after = lambda call: None


def test_reviews_are_listed_from_the_state_and_from_what_airflow_still_has(world: World) -> None:
    state = with_review(world)
    rows = [
        DagReport("read_mr3", None, True, "digits_mr3/dags/read_mr3.py", "t"),
        DagReport("read", "1-abc", False, "digits/dags/read.py", "t"),
        DagReport("sort_mr7", None, True, "letters_mr7/dags/sort_mr7.py", "t"),
    ]
    found = reviews_of("digits", state, rows)
    assert [(one.iid, one.live is not None) for one in found] == [(3, False), (7, True)]
    assert [one.name for one in reviews_of(None, state, rows)] == ["digits_mr3", REVIEW, "letters_mr7"]
    assert [one.iid for one in closed_ones(found, {3: "closed", 7: "open"})] == [3]
    assert [one.iid for one in closed_ones(found, {7: "merged"})] == [7], "of 3 GitLab said nothing"
    assert plan_removal("dev", REVIEW, state).as_json()["nothing_to_do"] is False


class Rows:
    """An Airflow whose DAG `running` has a task that runs, and whose DAG `gone` somebody else deletes first."""

    def __init__(self) -> None:
        stale = [("read_mr7", True), ("running", True), ("live", False), ("gone", True)]
        self.reports = [DagReport(name, None, old, f"{REVIEW}/dags/{name}.py", "t") for name, old in stale]
        self.reports.append(DagReport("other", None, True, "digits_mr70/dags/other.py", "t"))
        self.deleted: list[str] = []

    def dags(self, bundle: str) -> list[DagReport]:
        return self.reports

    def delete_dag(self, dag_id: str) -> None:
        if dag_id == "running":
            raise ServiceError("Airflow refuses DELETE: still running")
        if dag_id == "gone":
            raise DeliveryError("Airflow has no dags/gone")
        self.deleted.append(dag_id)


def test_only_rows_of_dags_that_went_and_do_not_run_are_deleted_and_of_this_review_alone() -> None:
    rows = Rows()
    cleared = clear_rows(rows, "windlass", REVIEW)
    assert cleared.gone == ("gone", "read_mr7")
    assert [name for name, _ in cleared.left] == ["live", "running"]
    assert rows.deleted == ["read_mr7"]
