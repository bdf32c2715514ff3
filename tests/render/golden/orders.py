"""Rendered by windlass from pipelines/orders.yml; change it there."""

from datetime import datetime
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, TaskGroup, cross_downstream
from digits.operators.deliver import Deliver
from digits.operators.s3_to_file import S3ToFile

with DAG(
    dag_id="orders",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")),
    catchup=False,
    default_args={"owner": "airflow", "retries": 0},
):
    with TaskGroup(group_id="first"):
        first_a = S3ToFile(task_id="a", key="a.csv", outputs={"data": "a.csv"})
        first_b = S3ToFile(task_id="b", key="b.csv", outputs={"data": "b.csv"})

    with TaskGroup(group_id="second"):
        second_follows_all = S3ToFile(task_id="follows_all", key="c.csv", outputs={"data": "c.csv"})
        second_too = S3ToFile(task_id="too", key="c.csv", outputs={"data": "c.csv"})
        second_at_once = S3ToFile(task_id="at_once", key="d.csv", outputs={"data": "d.csv"})

    with TaskGroup(group_id="third"):
        third_by_input = Deliver(task_id="by_input", to="a.csv", inputs={"data": first_a.output["data"]})
        third_by_both = Deliver(task_id="by_both", to="b.csv", inputs={"data": first_a.output["data"]})
        third_by_group = Deliver(task_id="by_group", to="c.csv", inputs={"data": second_too.output["data"]})
        third_by_task = S3ToFile(task_id="by_task", key="e.csv", outputs={"data": "e.csv"})

    with TaskGroup(group_id="fourth"):
        fourth_last = S3ToFile(task_id="last", key="f.csv", outputs={"data": "f.csv"})
        fourth_one = S3ToFile(task_id="one", key="f.csv", outputs={"data": "f.csv"})

    cross_downstream([first_a, first_b], [second_follows_all, second_too])
    first_b >> third_by_both
    [first_a, first_b] >> third_by_group
    second_too >> third_by_task >> [fourth_last, fourth_one]
