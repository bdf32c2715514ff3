"""What `trigger_pipeline` asks Airflow for; a run that ends cannot be had without a scheduler."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

pytestmark = pytest.mark.airflow


def instance(status: int | None = None, *, is_paused: bool = False, map_index: int = -1) -> Any:
    from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType

    def get_dag(dag_id: str) -> Any:
        if status:
            error = SimpleNamespace(error=ErrorType.API_SERVER_ERROR, detail={"status_code": status})
            raise AirflowRuntimeError(error)
        return SimpleNamespace(is_paused=is_paused)

    made = {"dag_id": "etl", "task_id": "load.start", "run_id": "manual__1", "map_index": map_index}
    return SimpleNamespace(**made, get_dag=get_dag, xcom_push=lambda key, value: None)


def asked(of: Any, **arguments: Any) -> Any:
    from airflow.sdk.exceptions import DagRunTriggerException

    from windlass.operators.trigger_pipeline import TriggerPipeline

    operator = TriggerPipeline(task_id="start", pipeline="scoring", **arguments)
    with pytest.raises(DagRunTriggerException) as caught:
        operator.execute({"ti": of, "task_instance": of})
    return caught.value


def test_a_run_of_a_task_always_asks_for_the_same_run() -> None:
    first, again = asked(instance()), asked(instance())
    assert first.dag_run_id == again.dag_run_id == "triggered__etl__load.start__manual__1"
    assert asked(instance(map_index=2)).dag_run_id == "triggered__etl__load.start__2__manual__1"
    assert first.reset_dag_run is True


def test_pipelines_that_start_each_other_in_a_row_do_not_make_names_too_long_for_airflow() -> None:
    run_ids, of = set(), instance()
    for _ in range(20):
        of.run_id = asked(of).dag_run_id
        run_ids.add(of.run_id)
    assert len(run_ids) == 20 and max(map(len, run_ids)) <= 250


def test_it_waits_only_where_that_is_wanted() -> None:
    at_once = asked(instance(is_paused=True))
    assert (at_once.trigger_dag_id, at_once.conf, at_once.wait_for_completion) == ("scoring", None, False)
    waiting = asked(instance(), conf={"a": 1}, wait=True, poke_interval=timedelta(seconds=30), deferrable=True)
    assert (waiting.conf, waiting.wait_for_completion, waiting.poke_interval) == ({"a": 1}, True, 30)
    assert waiting.deferrable is True
    assert [str(state) for state in waiting.failed_states] == ["failed"]


def test_a_service_that_does_not_answer_is_not_a_missing_pipeline() -> None:
    from airflow.sdk.exceptions import AirflowRuntimeError

    from windlass.operators.trigger_pipeline import TriggerPipeline
    from windlass.runtime.errors import RuntimeStop

    operator = TriggerPipeline(task_id="start", pipeline="scoring")
    with pytest.raises(AirflowRuntimeError):
        operator.execute({"ti": instance(503)})
    with pytest.raises(RuntimeStop, match="there is no pipeline 'scoring' in this Airflow"):
        operator.execute({"ti": instance(404)})


def test_a_run_that_ended_badly_fails_the_task_that_waited_for_it() -> None:
    from airflow.sdk.exceptions import AirflowException

    from windlass.operators.trigger_pipeline import TriggerPipeline

    operator = TriggerPipeline(task_id="start", pipeline="scoring", wait=True, deferrable=True)
    context = {"ti": instance()}
    operator.execute_complete(context, ("trigger", {"run_ids": ["x"], "x": "success"}))
    with pytest.raises(AirflowException):
        operator.execute_complete(context, ("trigger", {"run_ids": ["x"], "x": "failed"}))
