"""What counts as verified, and what a verification says when it is not."""

from collections.abc import Callable

import pytest

from tests.delivery.conftest import World, settings
from tests.fakes.airflow_reports import FakeAirflow, FakeClock, dag_report
from windlass.delivery.history.states import load_current
from windlass.delivery.verification.verify import AWAY, SETTLED, Expectation, Seen, verify
from windlass.spec.airflow import ImportProblem
from windlass.spec.errors import DeliveryError, ServiceError, TransientError
from windlass.spec.state import State

ONE, TWO = "1" * 40, "2" * 40


@pytest.fixture
def first(world: World) -> State:
    """Two DAGs are live in stage."""
    return world.promote(world.publish(ONE, {"read": "one", "write": "same"}), ONE, "stage").state


@pytest.fixture
def second(world: World, first: State) -> State:
    """One of the two DAGs has changed."""
    return world.promote(world.publish(TWO, {"read": "two", "write": "same"}), TWO, "stage").state


def check(world: World, state: State, airflow: FakeAirflow, timeout: float = 60) -> Seen:
    clock = FakeClock()
    expected = Expectation(world.place("stage"), state, "digits")
    return verify(airflow, "windlass", expected, timeout, monotonic=clock.monotonic, sleep=clock.sleep)


def after_looks(airflow: FakeAirflow, count: int, change: Callable[[], None]) -> None:
    looks = iter(range(10_000))
    airflow.tick = lambda: change() if next(looks) == count else None


def test_all_dags_at_the_promoted_version_are_verified(world: World, first: State) -> None:
    seen = check(world, first, FakeAirflow([dag_report("read", first.name), dag_report("write", first.name)]))
    assert seen.versions == {"read": first.name, "write": first.name}


def test_a_dag_that_did_not_change_may_report_the_version_before(world: World, first: State, second: State) -> None:
    airflow = FakeAirflow([dag_report("read", second.name), dag_report("write", first.name)])
    assert check(world, second, airflow).versions == {"read": second.name, "write": first.name}


def test_a_dag_that_changed_may_not(world: World, first: State, second: State) -> None:
    airflow = FakeAirflow([dag_report("read", first.name), dag_report("write", second.name)])
    with pytest.raises(DeliveryError, match=f"after 60 seconds: DAG 'read' is at {first.name}"):
        check(world, second, airflow)


def test_a_dag_under_other_operators_or_settings_is_not_the_same(world: World, first: State) -> None:
    rebuilt = world.promote(
        world.publish(TWO, {"read": "one", "write": "same"}, operator="You say "), TWO, "stage"
    ).state
    airflow = FakeAirflow([dag_report("read", first.name), dag_report("write", first.name)])
    with pytest.raises(DeliveryError, match="DAG 'read' is at"):
        check(world, rebuilt, airflow)
    moved = rebuilt.model_copy(update={"environment": settings("elsewhere")})
    airflow = FakeAirflow([dag_report("read", rebuilt.name), dag_report("write", rebuilt.name)])
    with pytest.raises(DeliveryError, match="DAG 'read' is at"):
        check(world, moved, airflow)


def test_a_later_version_that_another_project_caused_is_as_good(world: World, first: State) -> None:
    later = world.promote(world.publish(TWO, {"sort": "x"}, project="letters"), TWO, "stage", project="letters").state
    airflow = FakeAirflow([dag_report("read", later.name), dag_report("write", first.name)])
    assert check(world, first, airflow).versions["read"] == later.name


def test_a_dag_whose_tasks_are_still_the_old_ones_is_not_verified(world: World, first: State) -> None:
    airflow = FakeAirflow([dag_report("read", first.name), dag_report("write", first.name)], not_serialized={"read"})
    with pytest.raises(DeliveryError, match="DAG 'read' is at"):
        check(world, first, airflow)


def test_a_dag_that_the_release_no_longer_holds_must_be_gone(world: World, first: State) -> None:
    shrunk = world.promote(world.publish(TWO, {"read": "one"}), TWO, "stage").state
    airflow = FakeAirflow([dag_report("read", shrunk.name), dag_report("write", first.name)])
    with pytest.raises(DeliveryError, match="DAG 'write' should be gone"):
        check(world, shrunk, airflow)
    airflow.reports[1] = dag_report("write", first.name, is_stale=True)
    assert check(world, shrunk, airflow).gone == ["write"]


def test_airflow_is_asked_to_look_at_what_lags_behind(world: World, first: State, second: State) -> None:
    airflow = FakeAirflow([dag_report("read", first.name), dag_report("write", first.name)])
    after_looks(airflow, 3, lambda: airflow.reports.__setitem__(0, dag_report("read", second.name)))
    assert check(world, second, airflow).seconds == 3
    assert airflow.asked == ["token-read"]


def test_an_account_that_may_not_ask_simply_waits(world: World, first: State, second: State) -> None:
    class Strict(FakeAirflow):
        def ask_to_parse(self, token: str) -> None:
            raise ServiceError("Airflow does not allow PUT")

    airflow = Strict([dag_report("read", first.name), dag_report("write", first.name)])
    after_looks(airflow, 3, lambda: airflow.reports.__setitem__(0, dag_report("read", second.name)))
    assert check(world, second, airflow).versions["read"] == second.name


def test_a_new_import_error_ends_the_wait_early_and_is_quoted(world: World, first: State) -> None:
    airflow = FakeAirflow([dag_report("read", first.name)])
    problem = ImportProblem("digits/dags/write.py", "2026-11-22T10:00:01Z", "Traceback\n  ...\nKeyError: 'x'\n")
    after_looks(airflow, 2, lambda: airflow.problems.append(problem))
    clock = FakeClock()
    with pytest.raises(DeliveryError, match=r"digits/dags/write\.py: KeyError: 'x'"):
        verify(
            airflow,
            "windlass",
            Expectation(world.place("stage"), first, "digits"),
            600,
            monotonic=clock.monotonic,
            sleep=clock.sleep,
        )
    assert clock.seconds <= SETTLED + 5


def test_import_errors_of_other_projects_do_not_matter(world: World, first: State) -> None:
    airflow = FakeAirflow(
        [dag_report("read", first.name), dag_report("write", first.name)],
        [ImportProblem("letters/dags/sort.py", "2026-11-22T10:00:01Z", "x")],
    )
    check(world, first, airflow)


def test_a_processor_that_is_down_is_named_at_the_end_and_the_release_is_not_to_blame(
    world: World, first: State
) -> None:
    airflow = FakeAirflow(processor="its DAG processor is unhealthy")
    with pytest.raises(TransientError, match=r"DAG 'read' is not there; .*its DAG processor is unhealthy"):
        check(world, first, airflow)


def test_an_airflow_that_restarts_is_waited_for_and_one_that_is_away_is_not(world: World, first: State) -> None:
    airflow = FakeAirflow([dag_report("read", first.name), dag_report("write", first.name)])
    looks = iter(range(10_000))

    def away(until: float) -> None:
        if next(looks) < until:
            raise TransientError("Airflow of stage does not answer")

    airflow.tick = lambda: away(10)
    check(world, first, airflow)
    airflow.tick = lambda: away(1_000_000)
    with pytest.raises(TransientError):
        check(world, first, airflow, timeout=10 * AWAY)


def test_an_airflow_that_is_away_is_not_waited_for_beyond_the_time_that_verification_has(
    world: World, first: State
) -> None:
    def away() -> None:
        raise TransientError("Airflow of stage does not answer")

    clock = FakeClock()
    expected = Expectation(world.place("stage"), first, "digits")
    with pytest.raises(TransientError):
        verify(FakeAirflow(tick=away), "windlass", expected, 5, monotonic=clock.monotonic, sleep=clock.sleep)
    assert clock.seconds <= 6


def test_a_project_without_a_release_expects_nothing_but_its_dags_gone(world: World, first: State) -> None:
    expected = Expectation(world.place("stage"), first, "letters")
    assert expected.dag_ids == []
    assert load_current(world.store, "stage").state == first
