"""What counts as shown by an Airflow that has files and no versions, and what follows from a verdict there."""

import itertools
import sys
from collections.abc import Callable
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.delivery.conftest import settings
from tests.delivery.plain_world import DAGS, Killed, PlainAirflow, PlainWorld
from windlass.delivery.release.find import lived
from windlass.delivery.verification.judge import Conclusion, Trial
from windlass.delivery.verification.smoke import Smoke
from windlass.delivery.verification.verdicts import load_verdicts
from windlass.delivery.verification.verify import VerificationFailed
from windlass.spec.airflow import ImportProblem
from windlass.spec.errors import DeliveryError, ServiceError, TransientError
from windlass.spec.state import State

ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40
STAY = Trial("windlass", 60)
BACK = replace(STAY, on_failure="rollback")
SMOKE = replace(BACK, smoke=Smoke("read", 120))


@dataclass
class Stage:
    """Stage with a good release that its Airflow has, and a second one published."""

    world: PlainWorld = field(default_factory=PlainWorld)
    airflow: PlainAirflow = field(default_factory=PlainAirflow)

    def __post_init__(self) -> None:
        self.airflow.store = self.world.store
        self.good = self.world.publish(ONE, {"read": "one", "old": "o"})
        self.bad = self.world.publish(TWO, {"read": "two", "new": "n"})
        self.before = self.world.promote(self.good, ONE, "stage", tag="v1").state
        self.airflow.parse()
        self.airflow.dags("windlass")
        self.airflow.calls.clear()

    def copy(self) -> "Stage":
        """The same stage with a store and an Airflow of its own, quicker than a new one."""
        other = copy(self)
        other.world = self.world.copy()
        other.airflow = PlainAirflow(
            store=other.world.store,
            reports=list(self.airflow.reports),
            disk=dict(self.airflow.disk),
            parsed=dict(self.airflow.parsed),
            shown=dict(self.airflow.shown),
        )
        return other

    def promote(self, trial: Trial) -> Conclusion:
        return self.judge(self.world.promote(self.bad, TWO, "stage").state, trial)

    def judge(self, state: State, trial: Trial, *, may_go_back: bool = True) -> Conclusion:
        return self.world.conclude(self.airflow, state, trial, may_go_back=may_go_back)


@pytest.fixture
def stage() -> Stage:
    return Stage()


def test_the_releases_own_text_parsed_again_after_the_files_were_fetched_is_a_pass(stage: Stage) -> None:
    conclusion = stage.promote(STAY)
    live = stage.world.live()
    verdict = conclusion.judgement.verdict
    assert (verdict.result, verdict.dags, verdict.gone) == ("pass", {"read": live.name, "new": live.name}, ["old"])
    assert stage.airflow.asked.count("read") == 2, "the first parse may have begun before the files were fetched"


def test_a_rolled_back_release_is_recognised(stage: Stage) -> None:
    stage.promote(STAY)
    state = stage.world.rollback(lived(stage.world.place("stage"), "digits", "v1"), "stage").state
    verdict = stage.judge(state, STAY).judgement.verdict
    assert (verdict.result, verdict.dags, verdict.gone) == ("pass", {"read": state.name, "old": state.name}, ["new"])


def test_an_airflow_that_never_fetches_is_inconclusive_and_not_the_releases_fault(stage: Stage) -> None:
    stage.airflow.fetches = False
    conclusion = stage.promote(BACK)
    assert conclusion.judgement.verdict.result == "inconclusive"
    assert isinstance(conclusion.judgement.stop, TransientError)
    assert "'read' is shown with another text than the release's" in str(conclusion.judgement.stop)
    assert "look whether this Airflow fetches them" in str(conclusion.judgement.stop)
    assert stage.world.live().projects["digits"].commit == TWO


def test_an_operator_that_changed_below_an_equal_dag_file_needs_a_parse_after_the_layout(stage: Stage) -> None:
    rebuilt = stage.world.publish(THREE, {"read": "one", "old": "o"}, operator="You say ")
    state = stage.world.promote(rebuilt, THREE, "stage").state
    stage.airflow.ask_to_parse = lambda token: None
    conclusion = stage.judge(state, STAY)
    assert "'read' is not parsed since its files were laid out" in str(conclusion.judgement.stop)
    del stage.airflow.ask_to_parse
    assert stage.judge(state, STAY).judgement.verdict.result == "pass"


def test_one_parse_after_the_layout_is_not_enough(stage: Stage) -> None:
    state = stage.world.promote(stage.bad, TWO, "stage").state
    asked = itertools.count()
    ask = stage.airflow.ask_to_parse
    stage.airflow.ask_to_parse = lambda token: ask(token) if next(asked) < 1 else None
    conclusion = stage.judge(state, STAY)
    assert "to be parsed once more, after Airflow has fetched the files" in str(conclusion.judgement.stop)


def test_a_dag_whose_files_lay_there_for_long_needs_no_further_parse(stage: Stage) -> None:
    for key in stage.world.store.written:
        stage.world.store.written[key] = datetime.now(UTC) - timedelta(hours=1)
    conclusion = stage.judge(stage.before, STAY)
    assert (conclusion.judgement.verdict.result, stage.airflow.asked) == ("pass", [])


def test_only_what_the_last_promotion_changed_is_waited_for(stage: Stage) -> None:
    for key in stage.world.store.written:
        stage.world.store.written[key] = datetime.now(UTC) - timedelta(hours=1)
    archive = stage.world.publish(THREE, {"read": "three", "old": "o"})
    state = stage.world.promote(archive, THREE, "stage").state
    assert stage.judge(state, STAY).judgement.verdict.result == "pass"
    assert set(stage.airflow.asked) == {"read"}


def test_files_that_are_not_laid_out_are_inconclusive_and_the_remedy_is_named(stage: Stage) -> None:
    stage.world.store.put(f"{DAGS}digits/operators/say.py", b"altered")
    conclusion = stage.judge(stage.before, BACK, may_go_back=False)
    assert conclusion.judgement.verdict.result == "inconclusive"
    assert "the files of digits are not laid out as" in str(conclusion.judgement.stop)
    assert "windlass promote --to stage" in str(conclusion.judgement.stop)


def test_an_account_that_may_not_read_the_text_is_told_so(stage: Stage) -> None:
    def refuse(dag_id: str) -> str:
        raise ServiceError("Airflow of stage does not allow GET dagSources/read to this account")

    stage.airflow.source = refuse
    conclusion = stage.promote(BACK)
    assert (conclusion.judgement.verdict.result, conclusion.back) == ("inconclusive", None)
    assert isinstance(conclusion.judgement.stop, ServiceError)


def test_line_ends_do_not_matter(stage: Stage) -> None:
    source = stage.airflow.source
    stage.airflow.source = lambda dag_id: source(dag_id).replace("\n", "\r\n")
    assert stage.promote(STAY).judgement.verdict.result == "pass"


def test_a_file_that_cannot_be_imported_fails_and_the_way_back_lays_the_files_out(stage: Stage) -> None:
    stage.airflow.broken.add(b"two")
    conclusion = stage.promote(BACK)
    assert isinstance(conclusion.judgement.stop, VerificationFailed)
    assert conclusion.back is not None
    assert conclusion.back.laid_out is not None
    assert conclusion.back.laid_out.deleted == 1
    assert conclusion.after is not None
    assert conclusion.after.verdict.result == "pass"
    stage.world.require_laid_out()
    assert stage.world.live().projects == stage.before.projects


def test_a_foreign_file_in_the_way_back_leaves_the_environment_where_it_is(stage: Stage) -> None:
    stage.airflow.broken.add(b"two")
    state = stage.world.promote(stage.bad, TWO, "stage").state
    stage.world.put_foreign("digits/dags/old.py")
    conclusion = stage.judge(state, BACK)
    assert "digits/dags/old.py lies where" in (conclusion.stays_because or "")
    assert stage.world.live() == state


def test_an_import_error_that_was_there_before_ends_with_a_fail_too(stage: Stage) -> None:
    stage.airflow.problems = [ImportProblem("digits/dags/read.py", "2026-11-22T10:00:00Z", "KeyError: 'x'")]
    stage.airflow.broken.add(b"airflow dag")
    conclusion = stage.judge(stage.before, STAY)
    assert conclusion.judgement.verdict.result == "fail"


def test_the_smoke_run_works_without_versions(stage: Stage) -> None:
    conclusion = stage.promote(SMOKE)
    run = conclusion.judgement.verdict.run
    assert run is not None
    assert run.run_id == f"windlass__{stage.world.live().name}"


def test_settings_that_are_not_laid_out_are_inconclusive(stage: Stage) -> None:
    moved = settings("stage").model_copy(update={"images": {"python": "python:3.13"}})
    state = stage.before.model_copy(update={"environment": moved})
    assert "the files of the settings are not laid out" in str(stage.judge(state, STAY).judgement.stop)


# -- a crash at every call


def promote_well(stage: Stage) -> None:
    stage.promote(SMOKE)


def promote_badly(stage: Stage) -> None:
    stage.airflow.broken.add(b"two")
    try:
        stage.promote(BACK)
    except DeliveryError as refused:
        if "is on hold since" not in str(refused):
            raise


def verify(stage: Stage) -> None:
    stage.judge(stage.world.live(), SMOKE, may_go_back=False)


@pytest.mark.parametrize(
    ("command", "error", "moment"),
    [
        *itertools.product([promote_well, verify], [Killed, TransientError], ["before", "after"]),
        (promote_badly, Killed, "before"),  # 165 points each: what an error does here, test_judge shows
        (promote_badly, Killed, "after"),
    ],
)
def test_after_a_crash_at_any_call_the_same_command_finishes_files_state_and_verdict(
    command: Callable[[Stage], None], error: type[BaseException], moment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begin = Stage()
    begin.world.put_foreign("digits/notes.txt")
    whole = begin.copy()
    command(whole)
    points = {"S3": len(whole.world.store.calls), "Airflow": len(whole.airflow.calls)}
    for service, count in points.items():
        for point in range(count):
            stage, where = begin.copy(), f"{service} call {point}"
            target = stage.world.store if service == "S3" else stage.airflow
            calls = itertools.count()

            def crash(call: str, point: int = point, calls: "itertools.count[int]" = calls) -> None:
                number = next(calls)
                if number == point or (error is Killed and number > point):
                    raise error(call)

            setattr(target, moment, crash)
            with pytest.raises(Killed) if error is Killed else suppress(TransientError):
                command(stage)
            setattr(target, moment, lambda call: None)
            stage.world.require_unharmed(where)
            command(stage)
            stage.world.require_laid_out(where)
            assert stage.world.live().projects == whole.world.live().projects, where
            assert stage.world.live().serial == whole.world.live().serial, where
            for archive in (stage.good, stage.bad):
                mine = load_verdicts(stage.world.place("stage"), "digits", archive.digest).decisive
                theirs = load_verdicts(whole.world.place("stage"), "digits", archive.digest).decisive
                assert (mine and mine.result) == (theirs and theirs.result), where
    with capsys.disabled():
        told = ", ".join(f"{count} {service} calls" for service, count in points.items())
        sys.stdout.write(f"\nplain {command.__name__}: {error.__name__} {moment} each of {told}\n")
