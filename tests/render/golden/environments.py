"""Rendered by windlass from pipelines/environments.yml; change it there."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, Param, TaskGroup
from digits.operators.fetch_rows import FetchRows
from digits.operators.job import JobOperator
from digits.runtime.settings import by_environment

with DAG(
    dag_id="environments",
    schedule=by_environment("0 6 * * *", dev=None, prod="0 4 * * *"),
    start_date=by_environment(
        datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")),
        prod=datetime(2026, 6, 1, tzinfo=ZoneInfo("UTC")),
    ),
    catchup=False,
    default_args=by_environment(
        {"owner": "risk", "retries": 1},
        prod={"owner": "risk", "retries": 3, "pool": "dwh"},
    ),
    params={
        "limit": by_environment(
            Param(10, type="integer", minimum=1),
            prod=Param(1000, type="integer", minimum=1),
        ),
    },
    tags=by_environment([], prod=["live"]),
):
    with TaskGroup(group_id="take"):
        take_rows = FetchRows(
            task_id="rows",
            query=by_environment("SELECT 1", prod="-- all rows\nSELECT *\nFROM t\nWHERE day = '{{ ds }}'\n"),
            limit=by_environment(timedelta(minutes=10), prod=timedelta(hours=1)),
            options=by_environment({"a": 1}, prod={"b": 2}),
            outputs={"data": "rows.csv"},
            retries=by_environment(1, prod=5),
        )

    with TaskGroup(group_id="transform"):
        transform_score = JobOperator(
            task_id="score",
            execution_script="score {data} {out}",
            docker_image="python3-11",
            resource_flavor=by_environment("cpu-1gb", prod="cpu-16gb"),
            execution_time=by_environment(timedelta(minutes=10), prod=timedelta(hours=2)),
            inputs={"data": take_rows.output["data"]},
            outputs={"out": "out.csv"},
            trigger_rule=by_environment("all_success", prod="all_done"),
            pool=by_environment("default_pool", prod="large"),
        )
        transform_each = JobOperator.partial(
            task_id="each",
            execution_script="score {client}",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=10),
            retry_delay=by_environment(timedelta(minutes=5), prod=timedelta(minutes=1)),
        ).expand(parameters=[{"client": "a"}, {"client": "b"}])

    take_rows >> transform_each
