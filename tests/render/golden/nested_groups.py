"""Rendered by windlass from pipelines/nested_groups.yml; change it there."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, TaskGroup, cross_downstream
from digits.operators.deliver import Deliver
from digits.operators.job import JobOperator
from digits.operators.s3_to_file import S3ToFile

with DAG(
    dag_id="nested_groups",
    schedule=timedelta(hours=2),
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")),
    catchup=False,
    default_args={"owner": "airflow", "retries": 0},
):
    with TaskGroup(group_id="extract"):
        extract_now = S3ToFile(task_id="now", key="now.csv", outputs={"data": "now.csv"})

        with TaskGroup(group_id="daily"):
            extract_daily_clients = S3ToFile(
                task_id="clients",
                key="clients.csv",
                outputs={"data": "clients.csv"},
            )
            extract_daily_orders = S3ToFile(
                task_id="orders",
                key="orders.csv",
                outputs={"data": "orders.csv"},
            )

        with TaskGroup(group_id="checks"):
            with TaskGroup(group_id="deep"):
                extract_checks_deep_needs = Deliver(
                    task_id="needs",
                    to="a.csv",
                    inputs={"data": extract_daily_clients.output["data"]},
                )
                extract_checks_deep_count = JobOperator(
                    task_id="count",
                    execution_script="true",
                    docker_image="python3-11",
                    resource_flavor="cpu-1gb",
                    execution_time=timedelta(minutes=1),
                )

    with TaskGroup(group_id="load"):
        load_first = Deliver(task_id="first", to="b.csv", inputs={"data": extract_now.output["data"]})
        load_second = Deliver(task_id="second", to="c.csv", inputs={"data": extract_now.output["data"]})
        load_third = JobOperator(
            task_id="third",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
        )

    with TaskGroup(group_id="notes"):
        with TaskGroup(group_id="early"):
            notes_early_two = S3ToFile(task_id="two", key="e.csv", outputs={"data": "e.csv"})

        with TaskGroup(group_id="late"):
            notes_late_one = Deliver(
                task_id="one",
                to="d.csv",
                inputs={"data": notes_early_two.output["data"]},
            )

    [extract_daily_clients, extract_daily_orders] >> extract_checks_deep_count
    cross_downstream([extract_daily_clients, extract_daily_orders], [load_first, load_third])
    load_first >> load_second
