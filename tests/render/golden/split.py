"""Rendered by windlass from pipelines/split.yml; change it there."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, TaskGroup
from digits.operators.deliver import Deliver
from digits.operators.for_each import ForEach
from digits.operators.job import JobOperator
from digits.operators.merge_csv import MergeCsv
from digits.operators.s3_to_file import S3ToFile
from digits.operators.split_csv import SplitCsv

with DAG(
    dag_id="split",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")),
    catchup=False,
    default_args={"owner": "airflow", "retries": 0},
):
    with TaskGroup(group_id="take"):
        take_clients = S3ToFile(task_id="clients", key="clients.csv", outputs={"data": "clients.csv"})
        take_other = S3ToFile(task_id="other", key="other.csv", outputs={"data": "other.csv"})

    with TaskGroup(group_id="transform"):
        transform_score__split = SplitCsv(
            task_id="score__split",
            rows=1000000,
            inputs={"data": take_clients.output["data"]},
            outputs={"parts": "clients.csv"},
        )
        transform_score__each = ForEach(
            task_id="score__each",
            item="data",
            items=transform_score__split.output["parts"],
            arguments={
                "inputs": {
                    "data": "{data}",
                    "more": take_other.output["data"],
                    "model": "model:digits@0123456789abcdef",
                },
            },
        )
        transform_score = JobOperator.partial(
            task_id="score",
            execution_script="score {data} {more} {model} {scores} {errors}",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(hours=1),
            outputs={"scores": "scores.csv", "errors": "errors.csv"},
            max_active_tis_per_dagrun=8,
        ).expand_kwargs(transform_score__each.output)
        transform_score__merge_scores = MergeCsv(
            task_id="score__merge_scores",
            inputs={"parts": transform_score.output["scores"]},
            outputs={"data": "scores.csv"},
        )
        transform_score__merge_errors = MergeCsv(
            task_id="score__merge_errors",
            inputs={"parts": transform_score.output["errors"]},
            outputs={"data": "errors.csv"},
        )

    with TaskGroup(group_id="load"):
        load_keep = Deliver(
            task_id="keep",
            to="scores.csv",
            inputs={"data": transform_score__merge_scores.output["data"]},
        )
        load_after = JobOperator(
            task_id="after",
            execution_script="true",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(hours=1),
        )

    take_other >> transform_score__split
    [transform_score__merge_scores, transform_score__merge_errors] >> load_after
