"""Rendered by windlass from pipelines/written_in_any_order.yml; change it there."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, TaskGroup
from digits.operators.deliver import Deliver
from digits.operators.job import JobOperator
from digits.operators.s3_to_file import S3ToFile

with DAG(
    dag_id="written_in_any_order",
    schedule="@daily",
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")),
    catchup=False,
    default_args={"owner": "airflow", "retries": 0},
):
    with TaskGroup(group_id="load") as load_group:
        load_list = S3ToFile(task_id="list", key="list.csv", outputs={"data": "list.csv"})
        load_report = Deliver(task_id="report", to="b.csv", inputs={"data": load_list.output["data"]})

    with TaskGroup(group_id="work") as work_group:
        work_count = JobOperator(
            task_id="count",
            execution_script="wc < {source} > {out}",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(seconds=90),
            inputs={"source": load_list.output["data"]},
            outputs={"out": "count.csv"},
        )

    with load_group:
        load_keep = Deliver(task_id="keep", to="a.csv", inputs={"data": work_count.output["out"]})

    with work_group:
        work_list_keep = JobOperator(
            task_id="list_keep",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(hours=2),
        )

    with TaskGroup(group_id="work_list"):
        work_list_keep_2 = JobOperator(
            task_id="keep",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(days=1),
        )

    [load_keep, load_report, load_list] >> work_list_keep
    [work_count, work_list_keep] >> work_list_keep_2
