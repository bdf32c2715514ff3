"""Comes to a verdict about a release in an environment, records it, and goes back by itself where that is asked for.

pass: Airflow shows the release and its smoke run did what it should. fail: the release is to blame. inconclusive:
a service is; nothing is known about the release, and the environment stays as it is.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from windlass.delivery.history.states import load_current
from windlass.delivery.place import Place
from windlass.delivery.plain.verify import expectation
from windlass.delivery.promotion.fall_back import fall_back
from windlass.delivery.promotion.perform import SYSTEM_CLOCK, Author, Clock, Outcome, Progress, timestamp
from windlass.delivery.release.find import became_live
from windlass.delivery.verification.smoke import Smoke, run_id, try_release
from windlass.delivery.verification.verdicts import record_verdict
from windlass.delivery.verification.verify import Expectation, Seen, VerificationFailed, verify
from windlass.spec.airflow import AirflowReports
from windlass.spec.errors import DeliveryError, ServiceError, TransientError, WindlassError
from windlass.spec.state import State
from windlass.spec.store import Store
from windlass.spec.verdict import Result, SmokeRun, Verdict


@dataclass(frozen=True)
class Trial:
    """How an environment wants its releases verified. `smoke` is None where nothing is to be run."""

    bundle: str
    timeout: float
    smoke: Smoke | None = None
    on_failure: Literal["rollback", "stay"] = "stay"


@dataclass(frozen=True)
class Judgement:
    """The verdict, what Airflow showed (None unless all of it), and what to stop with unless it is `pass`."""

    verdict: Verdict
    seen: Seen | None
    stop: WindlassError | None


@dataclass(frozen=True)
class Conclusion:
    """A judgement that is recorded, the rollback that it led to, and whether Airflow shows that one."""

    judgement: Judgement
    back: Outcome | None = None
    after: Judgement | None = None
    stays_because: str | None = None


@dataclass(frozen=True)
class Bench:
    """With what a release is judged: the Airflow, the bucket for data, the clocks, and where progress is told."""

    airflow: AirflowReports
    data: Store
    clock: Clock = SYSTEM_CLOCK
    monotonic: Callable[[], float] = time.monotonic
    progress: Progress = lambda message: None


def judge(bench: Bench, trial: Trial, place: Place, state: State, project: str, author: Author) -> Judgement:
    """Verifies what is live of `project` in `state`. Whatever happens becomes a verdict; nothing is written."""
    seen: Seen | None = None
    run: SmokeRun | None = None
    stop: WindlassError | None = None
    result: Result = "pass"
    begin = bench.monotonic()
    try:
        expected = expectation(place, state, project)
        seen = _shown(bench, trial, expected)
        if trial.smoke is not None and trial.smoke.dag_id in expected.dag_ids:
            run = _tried(bench, trial.bundle, trial.smoke, expected)
    except VerificationFailed as failed:
        result, stop = _failed_or_superseded(place, state, project, failed)
    except (TransientError, ServiceError) as trouble:
        result, stop = "inconclusive", trouble
    except DeliveryError as trouble:  # an object that is damaged, or an address that is not Airflow's
        result, stop = "inconclusive", ServiceError(str(trouble))
    verdict = Verdict(
        result=result,
        state=state.name,
        reason=str(stop) if stop else None,
        dags=seen.versions if seen else {},
        gone=seen.gone if seen else [],
        run=run,
        seconds=round(bench.monotonic() - begin, 1),
        actor=author.actor,
        job_url=author.job_url,
        at=timestamp(bench.clock.now()),
    )
    return Judgement(verdict, seen, stop)


def conclude(
    bench: Bench, trial: Trial, place: Place, state: State, project: str, author: Author, *, may_go_back: bool
) -> Conclusion:
    """Judges, records the verdict, and after a `fail` goes back where the environment wants it and `may_go_back`.

    A project that has no release any more gets a judgement and no record: there is nothing that it could be about.
    """
    judgement = judge(bench, trial, place, state, project, author)
    live = state.projects.get(project)
    if live is not None:
        _record(place, project, live.release, judgement)
    if judgement.verdict.result != "fail" or not may_go_back or trial.on_failure == "stay":
        return Conclusion(judgement)
    back = fall_back(place, state, project, judgement.verdict, author, clock=bench.clock, progress=bench.progress)
    if isinstance(back, str):
        return Conclusion(judgement, stays_because=back)
    again = judge(bench, replace(trial, smoke=None), place, back.state, project, author)
    return Conclusion(judgement, back=back, after=again)


def _record(place: Place, project: str, release: str, judgement: Judgement) -> None:
    """Records the verdict; where S3 is the very trouble, that trouble is what the command stops with."""
    try:
        record_verdict(place, project, release, judgement.verdict)
    except (TransientError, ServiceError) as trouble:
        raise (
            judgement.stop if judgement.verdict.result == "inconclusive" and judgement.stop else trouble
        ) from trouble


def _shown(bench: Bench, trial: Trial, expected: Expectation) -> Seen:
    return verify(
        bench.airflow,
        trial.bundle,
        expected,
        trial.timeout,
        monotonic=bench.monotonic,
        sleep=bench.clock.sleep,
        progress=bench.progress,
    )


def _tried(bench: Bench, bundle: str, smoke: Smoke, expected: Expectation) -> SmokeRun:
    """The smoke run of the release. A run of a paused DAG would wait for ever, and to unpause it is not ours to do:

    that would start its schedule too.
    """
    if any(report.dag_id == smoke.dag_id and report.is_paused for report in bench.airflow.dags(bundle)):
        where = expected.place.name
        raise TransientError(f"{where}: DAG {smoke.dag_id!r} is paused, so its smoke run would not begin; unpause it")
    became = became_live(expected.place, expected.state, expected.project, settings=True)
    return try_release(
        bench.airflow,
        smoke,
        run_id(became.name),
        expected,
        bench.data,
        monotonic=bench.monotonic,
        sleep=bench.clock.sleep,
        progress=bench.progress,
    )


def _failed_or_superseded(
    place: Place, state: State, project: str, failed: VerificationFailed
) -> tuple[Result, WindlassError]:
    """A release that is live no longer is not shown by Airflow, and rightly so."""
    try:
        live = load_current(place.code, place.prefix).state
    except (TransientError, ServiceError) as trouble:
        return "inconclusive", trouble
    mine, theirs = state.projects.get(project), live.projects.get(project) if live else None
    same = (mine.release if mine else None) == (theirs.release if theirs else None)
    if live is not None and same and live.environment == state.environment:
        return "fail", failed
    now = live.name if live else "nothing"
    return "inconclusive", TransientError(
        f"{place.name}: {now} went live while {state.name} was verified; windlass verify {place.name} looks at that"
    )
