"""The smoke run: begun once per deployment, and blamed on the release only where that is to blame."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.delivery.conftest import World
from tests.fakes.airflow_reports import FollowingAirflow
from windlass.delivery.verification.judge import Judgement, Trial
from windlass.delivery.verification.smoke import Smoke, filled_in, run_id
from windlass.spec.airflow import Run, TaskRun
from windlass.spec.errors import ServiceError, TransientError
from windlass.spec.state import State
from windlass.spec.verdict import SmokeRun

ONE, TWO = "1" * 40, "2" * 40
BEGAN = datetime(2026, 11, 22, 10, tzinfo=UTC)
SMOKE = Trial("windlass", 60, Smoke("read", 120, {"rows": 10}))
DELIVERING = Trial("windlass", 60, Smoke("read", 120, delivers="digits/{ds}/out.csv"))
KEY = "stage/delivered/digits/2026-11-22/out.csv"


@pytest.fixture
def state(world: World) -> State:
    return world.promote(world.publish(ONE, {"read": "one"}), ONE, "stage").state


@pytest.fixture
def airflow(world: World) -> FollowingAirflow:
    return FollowingAirflow(store=world.store)


def judged(world: World, airflow: FollowingAirflow, trial: Trial) -> Judgement:
    return world.conclude(airflow, world.live(), trial).judgement


def test_a_release_whose_run_succeeds_passes(world: World, state: State, airflow: FollowingAirflow) -> None:
    verdict = judged(world, airflow, SMOKE).verdict
    assert airflow.triggered == [("read", run_id(state.name), {"rows": 10})]
    assert (verdict.result, verdict.run) == ("pass", SmokeRun(dag_id="read", run_id=f"windlass__{state.name}"))


def test_a_run_of_an_earlier_try_is_found_again_also_after_changes_of_others(
    world: World, state: State, airflow: FollowingAirflow
) -> None:
    judged(world, airflow, SMOKE)
    world.promote(world.publish(ONE, {"sort": "x"}, project="letters"), ONE, "stage", project="letters")
    assert judged(world, airflow, SMOKE).verdict.result == "pass"
    assert len(airflow.triggered) == 1
    world.promote(world.publish(TWO, {"read": "two"}), TWO, "stage")
    judged(world, airflow, SMOKE)
    assert len(airflow.triggered) == 2, "another release is tried anew"


def test_a_project_without_that_dag_is_not_tried(world: World, state: State, airflow: FollowingAirflow) -> None:
    other = replace(SMOKE, smoke=Smoke("another_dag", 120))
    assert judged(world, airflow, other).verdict.result == "pass"
    assert not airflow.triggered


def test_a_failed_run_fails_the_release_and_names_the_task(
    world: World, state: State, airflow: FollowingAirflow
) -> None:
    airflow.outcome = lambda report: "failed"
    airflow.tasks = [TaskRun("extract", "success", 1), TaskRun("score", "failed", 2)]
    judgement = judged(world, airflow, SMOKE)
    assert judgement.verdict.result == "fail"
    assert f"smoke run windlass__{state.name} of read failed: task score (try 2)" in str(judgement.stop)
    assert judged(world, airflow, SMOKE).verdict.result == "fail", "the same run is found again"
    key = ("read", run_id(state.name))
    airflow.begun[key] = replace(airflow.begun[key], state="success")  # somebody cleared it in Airflow
    assert judged(world, airflow, SMOKE).verdict.result == "pass"


def test_a_run_that_goes_on_too_long_fails_and_one_that_never_begins_is_inconclusive(
    world: World, state: State, airflow: FollowingAirflow
) -> None:
    airflow.outcome = lambda report: "queued"
    airflow.tasks = [TaskRun("score", "queued", 0)]
    judgement = judged(world, airflow, SMOKE)
    assert (judgement.verdict.result, type(judgement.stop)) == ("inconclusive", TransientError)
    assert "nothing of it runs" in str(judgement.stop)
    airflow.tasks = [TaskRun("score", "running", 1)]
    judgement = judged(world, airflow, SMOKE)
    assert judgement.verdict.result == "fail"
    assert "after 120 seconds, in score" in str(judgement.stop)


def test_the_dag_of_a_smoke_run_is_never_unpaused(world: World, state: State, airflow: FollowingAirflow) -> None:
    airflow.paused = True
    judgement = judged(world, airflow, SMOKE)
    assert (judgement.verdict.result, airflow.triggered) == ("inconclusive", [])
    assert "'read' is paused" in str(judgement.stop)


def test_the_file_must_be_there_and_not_older_than_the_run(
    world: World, state: State, airflow: FollowingAirflow
) -> None:
    judgement = judged(world, airflow, DELIVERING)
    assert judgement.verdict.result == "fail"
    assert f"is not there: {KEY}" in str(judgement.stop)
    world.store.objects[KEY] = b"x"
    world.store.written[KEY] = BEGAN - timedelta(hours=3)
    judgement = judged(world, airflow, DELIVERING)
    assert judgement.verdict.result == "fail"
    assert "is from 2026-11-22 07:00:00, before it began" in str(judgement.stop)
    world.store.written[KEY] = BEGAN + timedelta(seconds=5)
    verdict = judged(world, airflow, DELIVERING).verdict
    assert (verdict.result, verdict.run and verdict.run.delivered) == ("pass", KEY)


def test_a_run_of_another_content_says_nothing_of_the_release(
    world: World, state: State, airflow: FollowingAirflow
) -> None:
    other = Run("read", run_id(state.name), "failed", "9-0123456789ab")
    airflow.begun["read", other.run_id] = other
    judgement = judged(world, airflow, SMOKE)
    assert judgement.verdict.result == "inconclusive"
    assert "began with 9-0123456789ab" in str(judgement.stop)


def test_a_trigger_whose_answer_got_lost_begins_no_second_run(
    world: World, state: State, airflow: FollowingAirflow
) -> None:
    def lose(call: str) -> None:
        if call == "trigger":
            airflow.after = lambda call: None
            raise TransientError("Airflow does not answer")

    airflow.after = lose
    assert judged(world, airflow, SMOKE).verdict.result == "pass"
    assert len(airflow.triggered) == 1


def test_a_run_that_somebody_else_began_at_the_same_time_is_taken(
    world: World, state: State, airflow: FollowingAirflow
) -> None:
    name = run_id(state.name)

    def race(call: str) -> None:
        if call == "trigger":
            airflow.before = lambda call: None
            airflow.begun["read", name] = Run("read", name, "success", state.name)

    airflow.before = race
    assert judged(world, airflow, SMOKE).verdict.result == "pass"
    assert not airflow.triggered


def test_an_account_that_may_not_trigger_leaves_it_open(world: World, state: State, airflow: FollowingAirflow) -> None:
    def refuse(call: str) -> None:
        if call == "trigger":
            raise ServiceError("Airflow does not allow POST")

    airflow.before = refuse
    judgement = judged(world, airflow, SMOKE)
    assert (judgement.verdict.result, type(judgement.stop)) == ("inconclusive", ServiceError)


def test_the_path_is_filled_in_as_the_operator_deliver_does() -> None:
    run = Run("read", "windlass__7-0123456789ab", "success", None, "2026-11-22")
    assert filled_in("a/{ds}/{run_id}.csv", run) == "a/2026-11-22/windlass__7-0123456789ab.csv"
