"""Rendered by windlass from pipelines/setup_and_teardown.yml; change it there."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, TaskGroup
from digits.operators.job import JobOperator

with DAG(
    dag_id="setup_and_teardown",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")),
    catchup=False,
    default_args={"owner": "airflow", "retries": 0},
):
    with TaskGroup(group_id="work"):
        work_cluster = JobOperator(
            task_id="cluster",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
        )
        work_table = JobOperator(
            task_id="table",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
        )
        work_score = JobOperator(
            task_id="score",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
        )
        work_drop = JobOperator(
            task_id="drop",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
        )
        work_lonely = JobOperator(
            task_id="lonely",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
        )

    with TaskGroup(group_id="after"):
        after_report = JobOperator(
            task_id="report",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
        )
        after_tidy = JobOperator(
            task_id="tidy",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
        )

    work_drop.as_teardown(setups=[work_cluster, work_table])
    work_lonely.as_setup()
    after_tidy.as_teardown()
    [work_cluster, work_table] >> work_score >> work_drop
    [work_cluster, work_table, work_score, work_lonely] >> after_report >> after_tidy
