"""Rendered by windlass from pipelines/limits.yml; change it there."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, Asset, Param, TaskGroup
from digits.operators.deliver import Deliver
from digits.operators.fetch_rows import FetchRows
from digits.operators.job import JobOperator
from digits.runtime.backoff import backoff
from digits.runtime.deadline import DeadlineAlert, DeadlineReference, SyncCallback
from digits.runtime.notifier import Notifier

with DAG(
    dag_id="limits",
    doc_md='# Limits\n\nWhat is *allowed*, with a "quote" and {{ no template }}.\n',
    schedule="30 5 * * 1-5",
    start_date=datetime(2026, 1, 1, 6, 30, tzinfo=ZoneInfo("Europe/Berlin")),
    end_date=datetime(2026, 12, 31, tzinfo=ZoneInfo("Europe/Berlin")),
    catchup=True,
    default_args={
        "owner": "risk",
        "retries": 2,
        "retry_delay": timedelta(minutes=5),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(hours=1),
        "execution_timeout": timedelta(hours=1),
        "pool": "dwh",
        "queue": "large",
        "priority_weight": 5,
        "on_retry_callback": Notifier("retry", ["ops"]),
    },
    max_active_runs=1,
    max_active_tasks=8,
    dagrun_timeout=timedelta(hours=4),
    deadline=DeadlineAlert(
        reference=DeadlineReference.DAGRUN_QUEUED_AT,
        interval=timedelta(hours=2),
        callback=SyncCallback("digits.runtime.notifier.deadline_missed", {"names": ["ops"]}),
    ),
    params={
        "limit": Param(500, type="integer", description="How many", minimum=1, maximum=1000),
        "mode": Param("full", type="string", title="Mode", enum=["full", "delta"]),
        "note": Param(None, type=["null", "string"], maxLength=200, format="multiline"),
        "share": Param(0.5, type="number", minimum=0.0, maximum=1.0),
        "day": Param("2026-01-31", type="string", format="date"),
        "clients": Param([1, 2], type="array"),
        "quick": Param(False, type="boolean"),
    },
    on_failure_callback=Notifier("failure", ["ops", "risk"]),
    on_success_callback=Notifier("success", ["risk"]),
):
    with TaskGroup(group_id="load"):
        load_rows = FetchRows(
            task_id="rows",
            query="-- all rows\nSELECT *\nFROM t\nWHERE day = '{{ ds }}'\n",
            outputs={"data": "rows.csv"},
            retries=0,
            retry_delay=timedelta(minutes=1),
            retry_exponential_backoff=backoff(1.5),
            max_retry_delay=timedelta(minutes=10),
            execution_timeout=timedelta(hours=2),
            pool="default_pool",
            pool_slots=2,
            queue="small",
            priority_weight=10,
            doc_md="# Rows\nTakes *all* rows.\n",
        )
        load_score = JobOperator(
            task_id="score",
            execution_script="score {data} --limit {{ params.limit }}",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(hours=6),
            inputs={"data": load_rows.output["data"]},
            execution_timeout=None,
            inlets=[Asset("dwh/clients")],
            outlets=[Asset("scores"), Asset("scores.daily")],
        )
        load_clean = Deliver(
            task_id="clean",
            to="a.csv",
            inputs={"data": load_rows.output["data"]},
            trigger_rule="all_done",
        )

    load_score >> load_clean
