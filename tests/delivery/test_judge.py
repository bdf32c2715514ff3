"""Verdicts and what follows from them, and a crash at every call of S3 and Airflow on the way."""

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import copy
from dataclasses import dataclass, field, replace

import pytest

from tests.delivery.conftest import World, settings
from tests.delivery.test_perform import Killed
from tests.fakes.airflow_reports import FollowingAirflow
from tests.fakes.memory_store import MemoryStore
from windlass.delivery.history.ledger import read_history
from windlass.delivery.history.states import load_named
from windlass.delivery.promotion.go_back import go_back
from windlass.delivery.promotion.holds import find_hold, set_hold, take_hold_away
from windlass.delivery.promotion.perform import Author
from windlass.delivery.release.archive import Archive
from windlass.delivery.release.find import lived, state_meant
from windlass.delivery.verification.judge import Conclusion, Trial
from windlass.delivery.verification.smoke import Smoke
from windlass.delivery.verification.verdicts import load_verdicts, record_verdict
from windlass.delivery.verification.verify import VerificationFailed
from windlass.spec.airflow import TaskRun
from windlass.spec.errors import DeliveryError, ServiceError, TransientError
from windlass.spec.state import State
from windlass.spec.verdict import Verdict

ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40
STAY = Trial("windlass", 3)
BACK = replace(STAY, on_failure="rollback")
SMOKE = replace(BACK, smoke=Smoke("read", 120))


@dataclass
class Stage:
    """Stage with one good release live, a bad one published, and an Airflow that follows."""

    world: World = field(default_factory=World)
    airflow: FollowingAirflow = field(default_factory=FollowingAirflow)

    def __post_init__(self) -> None:
        self.airflow = FollowingAirflow(store=self.world.store)
        self.good = self.world.publish(ONE, {"read": "one"})
        self.bad = self.world.publish(TWO, {"read": "two"})
        for archive in (self.good, self.bad):
            passed = Verdict(result="pass", state="1-0123456789ab", at="2026-11-22T09:45:00Z")
            record_verdict(self.world.place("dev"), "digits", archive.digest, passed)
        self.before = self.world.promote(self.good, ONE, "stage", tag="v1").state

    def copy(self) -> "Stage":
        """The same stage with a store and an Airflow of its own, quicker than a new one."""
        other = copy(self)
        kept = self.world.store
        other.world = World(store=MemoryStore(objects=dict(kept.objects), written=dict(kept.written)))
        other.airflow = FollowingAirflow(store=other.world.store)
        return other

    def promote(self, trial: Trial, archive: Archive | None = None, commit: str = TWO) -> Conclusion:
        gated = archive in (None, self.good)
        state = self.world.promote(archive or self.bad, commit, "stage", gated=gated).state
        return self.world.conclude(self.airflow, state, trial)

    def verdict(self, archive: Archive) -> Verdict | None:
        return load_verdicts(self.world.place("stage"), "digits", archive.digest).decisive


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_a_pass_is_recorded_with_time_state_versions_and_author(stage: Stage) -> None:
    conclusion = stage.promote(STAY)
    verdict = stage.verdict(stage.bad)
    assert verdict is not None
    assert verdict == conclusion.judgement.verdict
    live = stage.world.live()
    assert (verdict.result, verdict.state, verdict.dags) == ("pass", live.name, {"read": live.name})
    assert (verdict.actor, verdict.at, verdict.reason) == ("ann", "2026-11-22T10:00:00Z", None)


def test_a_fail_stays_where_the_environment_says_nothing_else(stage: Stage) -> None:
    stage.airflow.broken.add(stage.bad.digest)
    conclusion = stage.promote(STAY)
    assert isinstance(conclusion.judgement.stop, VerificationFailed)
    assert conclusion.judgement.stop.exit_code == 2
    assert conclusion.back is None
    assert stage.world.live().projects["digits"].commit == TWO
    assert stage.world.live().holds == []
    failed = stage.verdict(stage.bad)
    assert failed is not None
    assert (failed.result, "KeyError: 'x'" in (failed.reason or "")) == ("fail", True)


def test_a_fail_goes_back_by_itself_with_a_hold_in_the_same_swap_where_that_is_asked_for(stage: Stage) -> None:
    stage.airflow.broken.add(stage.bad.digest)
    conclusion = stage.promote(BACK)
    live = stage.world.live()
    assert conclusion.back is not None
    assert live == conclusion.back.state
    assert live.serial == stage.before.serial + 2
    assert live.projects == stage.before.projects
    hold = find_hold(live, "digits", stage.bad.digest)
    assert hold is not None
    assert hold.reason.startswith("verification failed: stage: Airflow")
    record = read_history(stage.world.store, "stage", check=True).records[-1].deployment
    assert (record.action, record.replaces, record.hold) == ("rollback", stage.bad.digest, hold)
    assert (record.reason or "").startswith("verification failed")
    assert conclusion.after is not None
    assert conclusion.after.verdict.result == "pass"
    with pytest.raises(DeliveryError, match="is on hold since"):
        stage.promote(BACK)
    assert stage.promote(BACK, stage.world.publish(THREE, {"read": "three"}), THREE).judgement.stop is None


def test_a_failed_smoke_run_goes_back_too(stage: Stage) -> None:
    stage.airflow.outcome = lambda report: "failed"
    stage.airflow.tasks = [TaskRun("say", "failed", 1)]
    conclusion = stage.promote(SMOKE)
    assert conclusion.back is not None
    assert "task say (try 1)" in stage.world.live().holds[0].reason
    assert len(stage.airflow.triggered) == 1, "the way back is not tried again"


@pytest.mark.parametrize("trouble", [TransientError("Airflow does not answer"), ServiceError("wrong password")])
def test_trouble_with_a_service_is_inconclusive_and_changes_nothing(stage: Stage, trouble: Exception) -> None:
    def fail(call: str) -> None:
        raise trouble

    stage.airflow.before = fail
    conclusion = stage.promote(BACK)
    assert conclusion.judgement.stop is trouble
    assert conclusion.back is None
    assert stage.world.live().projects["digits"].commit == TWO
    recorded = stage.verdict(stage.bad)
    assert recorded is not None
    assert (recorded.result, recorded.reason) == ("inconclusive", str(trouble))


def test_a_processor_that_is_down_is_inconclusive(stage: Stage) -> None:
    stage.airflow.broken.add(stage.bad.digest)
    stage.airflow.processor = "its DAG processor is unhealthy"
    conclusion = stage.promote(BACK)
    assert conclusion.judgement.verdict.result == "inconclusive"
    assert isinstance(conclusion.judgement.stop, TransientError)
    assert stage.world.live().projects["digits"].commit == TWO


def test_an_s3_that_is_away_stops_with_its_own_trouble_and_changes_nothing(stage: Stage) -> None:
    state = stage.world.promote(stage.bad, TWO, "stage").state

    def away(call: str) -> None:
        raise TransientError("S3 does not answer")

    stage.world.store.before = away
    with pytest.raises(TransientError, match="S3 does not answer"):
        stage.world.conclude(stage.airflow, state, BACK)
    stage.world.store.before = lambda call: None
    assert stage.world.live() == state


def test_a_release_that_another_one_replaced_meanwhile_is_not_to_blame(stage: Stage) -> None:
    state = stage.world.promote(stage.bad, TWO, "stage").state
    newer = stage.world.publish(THREE, {"read": "three"})
    stage.world.promote(newer, THREE, "stage")
    conclusion = stage.world.conclude(stage.airflow, state, BACK)
    assert conclusion.judgement.verdict.result == "inconclusive"
    assert "went live while" in str(conclusion.judgement.stop)
    assert stage.world.live().projects["digits"].commit == THREE


def test_a_release_that_another_one_replaces_before_the_way_back_stays_replaced(stage: Stage) -> None:
    stage.airflow.broken.add(stage.bad.digest)
    newer = stage.world.publish(THREE, {"read": "three"})

    def interfere(call: str) -> None:
        if call == "put stage/state.json" and stage.world.live().projects["digits"].commit == TWO:
            stage.world.store.before = lambda call: None
            stage.world.promote(newer, THREE, "stage")

    state = stage.world.promote(stage.bad, TWO, "stage").state
    stage.world.store.before = interfere
    conclusion = stage.world.conclude(stage.airflow, state, BACK)
    assert (conclusion.back, conclusion.stays_because) == (None, "another release of digits went live meanwhile")
    assert stage.world.live().projects["digits"].commit == THREE


def test_a_rollback_is_never_rolled_back(stage: Stage) -> None:
    stage.world.promote(stage.bad, TWO, "stage")
    state = stage.world.rollback(lived(stage.world.place("stage"), "digits", "v1"), "stage").state
    stage.airflow.broken.add(stage.good.digest)
    conclusion = stage.promote(BACK, stage.good, ONE)
    assert conclusion.judgement.verdict.result == "fail"
    assert conclusion.back is None
    assert "a rollback is not rolled back" in (conclusion.stays_because or "")
    assert stage.world.live() == state


def test_a_first_release_has_nothing_to_go_back_to(world: World) -> None:
    archive = world.publish(ONE, {"read": "one"})
    airflow = FollowingAirflow(store=world.store, broken={archive.digest})
    conclusion = world.conclude(airflow, world.promote(archive, ONE, "stage").state, BACK)
    assert "had no other release" in (conclusion.stays_because or "")
    assert world.live().serial == 1


def test_the_way_back_passes_over_releases_that_are_on_hold(stage: Stage) -> None:
    stage.promote(STAY)
    author = Author(reason="reads sevens as ones")
    set_hold(stage.world.place("stage"), settings("stage"), "digits", stage.bad.digest, author, clock=stage.world.clock)
    worse = stage.world.publish(THREE, {"read": "three"})
    stage.airflow.broken.add(worse.digest)
    stage.promote(BACK, worse, THREE)
    assert stage.world.live().projects["digits"].release == stage.good.digest


def test_settings_that_came_with_the_bad_release_go_back_with_it(stage: Stage) -> None:
    stage.airflow.broken.add(stage.bad.digest)
    state = stage.world.promote(stage.bad, TWO, "stage").state
    moved = settings("stage").model_copy(update={"images": {"python": "python:3.13"}})
    state = state.model_copy(update={"environment": moved})
    for key in ("stage/state.json", f"stage/states/{state.name}.json"):
        stage.world.store.objects[key] = state.to_json()
    del stage.world.store.objects[f"stage/ledger/{state.serial}.json"]
    stage.world.conclude(stage.airflow, state, BACK)
    assert stage.world.live().environment == stage.before.environment


def test_a_verification_that_may_not_go_back_only_records(stage: Stage) -> None:
    stage.airflow.broken.add(stage.good.digest)
    conclusion = stage.world.conclude(stage.airflow, stage.before, BACK, may_go_back=False)
    assert (conclusion.judgement.verdict.result, conclusion.back) == ("fail", None)
    assert stage.world.live() == stage.before


# -- a crash at every call


def promote_well(stage: Stage) -> None:
    stage.promote(SMOKE)


@contextmanager
def or_on_hold() -> Iterator[None]:
    """The command that meets its own hold has nothing more to do: the environment is back already."""
    try:
        yield
    except DeliveryError as refused:
        if "is on hold since" not in str(refused):
            raise


def promote_badly(stage: Stage) -> None:
    stage.airflow.broken.add(stage.bad.digest)
    with or_on_hold():
        stage.promote(BACK)


def promote_and_smoke_badly(stage: Stage) -> None:
    stage.airflow.outcome = lambda report: "failed" if report.version != stage.before.name else "success"
    with or_on_hold():
        stage.promote(SMOKE)


def hold(stage: Stage) -> None:
    author = Author(actor="ann", reason="closing")
    set_hold(stage.world.place("stage"), settings("stage"), "digits", None, author, clock=stage.world.clock)


def release_hold(stage: Stage) -> None:
    take_hold_away(stage.world.place("stage"), "digits", None, Author(actor="ann"), clock=stage.world.clock)


def promote_only(stage: Stage) -> None:
    stage.world.promote(stage.bad, TWO, "stage")


def all_back(stage: Stage) -> None:
    place = stage.world.place("stage")
    go_back(place, state_meant(place, "previous"), Author(actor="ann"), clock=stage.world.clock)


def verify_again(stage: Stage) -> None:
    stage.world.conclude(stage.airflow, stage.world.live(), SMOKE, may_go_back=False)


def essence(state: State) -> tuple[object, object]:
    return state.projects, [(hold.project, hold.release) for hold in state.holds]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("error", [Killed, TransientError])
@pytest.mark.parametrize(
    ("command", "prepare", "states"),
    [
        (promote_well, None, 2),
        (promote_badly, None, 3),
        (promote_and_smoke_badly, None, 3),
        (verify_again, None, 1),
        (hold, None, 2),
        (release_hold, hold, 2),
        (all_back, promote_only, 2),
    ],
)
def test_after_a_crash_at_any_call_the_same_command_finishes_what_was_begun(
    command: Callable[[Stage], None],
    prepare: Callable[[Stage], None] | None,
    states: int,
    error: type[BaseException],
    moment: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    begin = Stage()
    if prepare:
        prepare(begin)
    assert not begin.airflow.triggered
    whole = begin.copy()
    first = whole.world.live()
    whole.world.store.calls.clear()
    command(whole)
    points = {"S3": len(whole.world.store.calls), "Airflow": len(whole.airflow.calls)}
    last = whole.world.live()
    assert last.serial == first.serial + states - 1
    between = [load_named(whole.world.store, "stage", last.previous)] if states == 3 and last.previous else []
    expected = [essence(state) for state in (first, *between, last)]

    met: set[int] = set()
    for service, count in points.items():
        for point in range(count):
            stage = begin.copy()
            target = stage.world.store if service == "S3" else stage.airflow
            calls = itertools.count()

            def crash(call: str, point: int = point, calls: Iterator[int] = calls) -> None:
                if next(calls) == point:
                    raise error(call)

            setattr(target, moment, crash)
            with pytest.raises(Killed) if error is Killed else suppress(TransientError):
                command(stage)
            setattr(target, moment, lambda call: None)
            where = f"{service} call {point}"
            found = stage.world.live()
            assert essence(found) in expected, where
            met.add(expected.index(essence(found)))
            load_named(stage.world.store, "stage", found.name)
            command(stage)
            assert essence(stage.world.live()) == essence(last), where
            assert stage.world.live().serial == last.serial, f"{where}: done twice"
            assert len(stage.airflow.triggered) == len(whole.airflow.triggered), f"{where}: run twice"
            for archive in (stage.good, stage.bad):
                mine, theirs = stage.verdict(archive), whole.verdict(archive)
                assert (mine and mine.result) == (theirs and theirs.result), where
            assert read_history(stage.world.store, "stage", check=True).faults == [], where
    assert met == set(range(states))
    with capsys.disabled():
        counted = ", ".join(f"{count} {service} calls" for service, count in points.items())
        sys.stdout.write(
            f"\n{command.__name__}: {error.__name__} {moment} each of {counted}: states {sorted(met)} of {states} met\n"
        )
