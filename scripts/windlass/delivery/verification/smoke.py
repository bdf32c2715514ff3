"""Tries a release for real: one run of a DAG, begun once per deployment, that must succeed and leave its file.

The run's id follows from the state that made the release live, so a verification that was interrupted finds its run
again and never begins a second one. Whoever wants another try clears the run in Airflow and verifies again.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from windlass.delivery.place import Place
from windlass.delivery.verification.verify import AWAY, POLL, Expectation, VerificationFailed
from windlass.spec.airflow import AirflowReports, Run, TaskRun
from windlass.spec.errors import DeliveryError, ServiceError, TransientError
from windlass.spec.store import Store
from windlass.spec.verdict import SmokeRun

SKEW = timedelta(minutes=1)
"""How far the clocks of Airflow and S3 may be apart before a file counts as older than the run."""


@dataclass(frozen=True)
class Smoke:
    """What to run, for how many seconds at most, and the path below `delivered/` of the file that it must leave."""

    dag_id: str
    timeout: float
    conf: dict[str, Any] = field(default_factory=dict)
    delivers: str | None = None


def run_id(state_name: str) -> str:
    """The id of the smoke run that belongs to a state."""
    return f"windlass__{state_name}"


def try_release(
    airflow: AirflowReports,
    smoke: Smoke,
    name: str,
    expected: Expectation,
    data: Store,
    *,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    progress: Callable[[str], None] = lambda message: None,
) -> SmokeRun:
    """The run `name`, once it succeeded and its file is there. VerificationFailed says what went wrong with it;

    TransientError when Airflow is away or never began it.
    """
    begin = last_answer = monotonic()
    told = ""
    while True:
        try:
            run = _found_or_begun(airflow, smoke, name)
            tasks = airflow.task_runs(smoke.dag_id, name)
        except TransientError:
            if monotonic() - last_answer >= min(AWAY, smoke.timeout):
                raise
            sleep(POLL)
            continue
        last_answer = monotonic()
        if (summary := _summary(run, tasks)) != told:
            progress(told := summary)
        if run.state == "success":
            _require_same(expected, run)
            return SmokeRun(dag_id=run.dag_id, run_id=name, delivered=_delivered(smoke, run, expected.place, data))
        if run.state == "failed":
            _require_same(expected, run)
            raise VerificationFailed(f"{expected.place.name}: {_failed(run, tasks)}")
        if monotonic() - begin >= smoke.timeout:
            _too_late(smoke, run, tasks, expected.place.name)
        sleep(POLL)


def _found_or_begun(airflow: AirflowReports, smoke: Smoke, name: str) -> Run:
    try:
        return airflow.run(smoke.dag_id, name)
    except DeliveryError:  # there is none yet
        pass
    try:
        return airflow.trigger(smoke.dag_id, smoke.conf, name)
    except ServiceError:
        try:
            return airflow.run(smoke.dag_id, name)  # somebody else began it at the same time
        except DeliveryError:
            pass
        raise


def _require_same(expected: Expectation, run: Run) -> None:
    """TransientError when the run began with another content: then it says nothing about the release."""
    if run.version is not None and not expected.is_met_by(run.dag_id, run.version):
        raise TransientError(
            f"{expected.place.name}: run {run.run_id} of {run.dag_id} began with {run.version}, which is not the "
            f"content of {expected.state.name}; verify again"
        )


def _failed(run: Run, tasks: list[TaskRun]) -> str:
    wrong = [task for task in tasks if task.state == "failed"]
    named = ", ".join(f"task {task.task_id} (try {task.try_number})" for task in wrong[:5]) or "no task says why"
    return f"smoke run {run.run_id} of {run.dag_id} failed: {named}; look into its log in Airflow"


def _too_late(smoke: Smoke, run: Run, tasks: list[TaskRun], environment: str) -> None:
    """A run in which something runs is too slow; one in which nothing does waits for Airflow, not for the release."""
    what = f"{environment}: smoke run {run.run_id} of {run.dag_id} is {run.state} after {smoke.timeout:g} seconds"
    if running := [task.task_id for task in tasks if task.state in ("running", "up_for_retry", "deferred")]:
        raise VerificationFailed(f"{what}, in {', '.join(running[:5])}; see verify.run_timeout")
    raise TransientError(f"{what} and nothing of it runs: look whether Airflow's scheduler and workers have room")


def _delivered(smoke: Smoke, run: Run, place: Place, data: Store) -> str | None:
    """The key of the file that the run left; VerificationFailed when there is none or only an older one."""
    if smoke.delivers is None:
        return None
    key = f"{place.prefix}/delivered/{filled_in(smoke.delivers, run)}"
    for listed in data.list_objects(key):
        if listed.key == key:
            if run.began and listed.modified < datetime.fromisoformat(run.began) - SKEW:
                when = listed.modified.strftime("%Y-%m-%d %H:%M:%S")
                raise VerificationFailed(
                    f"{place.name}: smoke run {run.run_id} of {run.dag_id} succeeded and delivered nothing new: "
                    f"{key} is from {when}, before it began"
                )
            return key
    raise VerificationFailed(
        f"{place.name}: smoke run {run.run_id} of {run.dag_id} succeeded, and the file that verify.delivers names is "
        f"not there: {key}"
    )


def filled_in(path: str, run: Run) -> str:
    """`path` with `{ds}` and `{run_id}` as the operator `deliver` fills them in."""
    values = {"ds": run.date or "", "run_id": quote(run.run_id, safe=":+@~")}
    return re.sub(r"\{(\w+)\}", lambda match: values[match[1]], path)


def _summary(run: Run, tasks: list[TaskRun]) -> str:
    states = ", ".join(f"{task.task_id} {task.state or 'waiting'}" for task in tasks)
    return f"smoke run of {run.dag_id} {run.state}: {states}" if states else f"smoke run of {run.dag_id} {run.state}"
