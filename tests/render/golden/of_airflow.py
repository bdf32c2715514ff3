"""Rendered by windlass from pipelines/of_airflow.yml; change it there."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.sensors.filesystem import FileSensor
from airflow.sdk import DAG, TaskGroup
from digits.operators.wait_for_file import WaitForFile

with DAG(
    dag_id="of_airflow",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")),
    catchup=False,
    default_args={"owner": "airflow", "retries": 0},
):
    with TaskGroup(group_id="wait"):
        wait_hour = FileSensor(
            task_id="hour",
            filepath="/tmp/{{ ds }}",
            deferrable=True,
            mode="reschedule",
            poke_interval=30,
        )
        wait_file = WaitForFile(task_id="file", key="incoming/{{ ds }}.csv", timeout=timedelta(hours=2))

    with TaskGroup(group_id="run"):
        run_echo = BashOperator(task_id="echo", bash_command="echo {{ ds }}", cwd="/")

    [wait_hour, wait_file] >> run_echo
