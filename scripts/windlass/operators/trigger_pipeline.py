"""Starts another pipeline."""

import hashlib
from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator

from ..runtime.errors import RuntimeStop


class TriggerPipeline(BaseOperator):
    """Starts a run of another pipeline of the same Airflow, and waits for its end where that is wanted.

    Each run of this task starts one run, whose id names it: a retry begins the same run anew instead of another one.

    Args:
        pipeline: The name of the pipeline, which is its `dag_id`.
        conf: The configuration of its run. May contain Airflow's `{{ ds }}`.
        wait: Whether to wait until that run has ended; if it ends badly, so does this task.
        poke_interval: How often to look while waiting.
        deferrable: Whether to wait in Airflow's triggerer, which takes no worker meanwhile.

    Example:
        score:
          operator_type: trigger_pipeline
          pipeline: credit_scoring
          conf: {day: "{{ ds }}"}
          wait: true
    """

    inputs: dict[str, Any] = {}
    outputs: dict[str, str] = {}
    template_fields = ("pipeline", "conf")

    def __init__(
        self,
        *,
        pipeline: str,
        conf: dict[str, Any] | None = None,
        wait: bool = False,
        poke_interval: timedelta = timedelta(minutes=1),
        deferrable: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pipeline = pipeline
        self.conf = conf
        self.wait = wait
        self.poke_interval = poke_interval
        self.deferrable = deferrable

    def execute(self, context: Any) -> None:
        self._check(context["ti"])
        self._trigger(context["ti"]).execute(context)

    def execute_complete(self, context: Any, event: Any) -> None:
        """Airflow calls this after the triggerer has seen the other run end."""
        self._trigger(context["ti"]).execute_complete(context, event)

    def _check(self, instance: Any) -> None:
        """RuntimeStop when there is no such pipeline, or when waiting for it would never end."""
        if not hasattr(instance, "get_dag"):  # Airflow before 3.2 does not tell a task
            return
        from airflow.sdk.api.client import ServerResponseError
        from airflow.sdk.exceptions import AirflowRuntimeError

        try:
            is_paused = instance.get_dag(self.pipeline).is_paused
        except (AirflowRuntimeError, ServerResponseError) as error:
            if _status(error) != 404:
                raise
            raise RuntimeStop(f"there is no pipeline {self.pipeline!r} in this Airflow; deliver it first") from error
        if is_paused and self.wait:
            raise RuntimeStop(f"pipeline {self.pipeline!r} is paused: its run would not begin; unpause it")

    def _trigger(self, instance: Any) -> Any:
        """Airflow's own operator, made only here: its module is too heavy to import with every DAG file."""
        from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator

        index = f"__{instance.map_index}" if instance.map_index >= 0 else ""
        return TriggerDagRunOperator(
            task_id=f"{self.task_id}__trigger",
            trigger_dag_id=self.pipeline,
            trigger_run_id=_run_id(f"{instance.dag_id}__{instance.task_id}{index}__{instance.run_id}"),
            conf=self.conf,
            reset_dag_run=True,
            wait_for_completion=self.wait,
            poke_interval=int(max(self.poke_interval.total_seconds(), 1)),
            deferrable=self.deferrable,
        )


def _run_id(cause: str) -> str:
    """The name of the run that `cause` starts; pipelines that start each other in a row would make it ever longer."""
    if len(cause) > 200:  # Airflow takes 250
        cause = f"{cause[:160]}__{hashlib.sha256(cause.encode()).hexdigest()[:32]}"
    return f"triggered__{cause}"


def _status(error: Any) -> Any:
    """The HTTP status in what Airflow raises: by itself in one process, as the detail of a message between two."""
    if hasattr(error, "response"):
        return error.response.status_code
    return (error.error.detail or {}).get("status_code")
