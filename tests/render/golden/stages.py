"""Rendered by windlass from pipelines/stages.yml; change it there."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, TaskGroup, cross_downstream
from digits.operators.job import JobOperator

with DAG(
    dag_id="stages",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")),
    catchup=False,
    default_args={"owner": "airflow", "retries": 0},
):
    with TaskGroup(group_id="first"):
        first_a = JobOperator(
            task_id="a",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
        )
        first_b = JobOperator(
            task_id="b",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
        )

    with TaskGroup(group_id="second"):
        second_a = JobOperator(
            task_id="a",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
        )
        second_b = JobOperator(
            task_id="b",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
        )

    with TaskGroup(group_id="third"):
        third_a = JobOperator(
            task_id="a",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
        )
        third_b = JobOperator(
            task_id="b",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
        )

    with TaskGroup(group_id="alone"):
        alone_a = JobOperator(
            task_id="a",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
        )

    with TaskGroup(group_id="again"):
        again_a = JobOperator(
            task_id="a",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
        )
        again_b = JobOperator(
            task_id="b",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
        )

    with TaskGroup(group_id="last"):
        last_a = JobOperator(
            task_id="a",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
        )
        last_b = JobOperator(
            task_id="b",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
        )

    with TaskGroup(group_id="late"):
        late_a = JobOperator(
            task_id="a",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
        )

    with TaskGroup(group_id="latest"):
        latest_a = JobOperator(
            task_id="a",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
        )

    cross_downstream([first_a, first_b], [second_a, second_b])
    cross_downstream([second_a, second_b], [third_a, third_b])
    [third_a, third_b] >> alone_a >> [again_a, again_b]
    cross_downstream([again_a, again_b], [last_a, last_b])
    [last_a, last_b] >> late_a >> latest_a
