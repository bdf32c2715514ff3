"""Rendered by windlass from pipelines/split_formats.yml; change it there."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, TaskGroup
from digits.operators.for_each import ForEach
from digits.operators.job import JobOperator
from digits.operators.merge_csv import MergeCsv
from digits.operators.merge_files import MergeFiles
from digits.operators.s3_to_file import S3ToFile
from digits.operators.split_file import SplitFile

with DAG(
    dag_id="split_formats",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")),
    catchup=False,
    default_args={"owner": "airflow", "retries": 0},
):
    with TaskGroup(group_id="take"):
        take_clients = S3ToFile(task_id="clients", key="clients.csv.gz", outputs={"data": "clients.csv.gz"})

    with TaskGroup(group_id="transform"):
        transform_score__split = SplitFile(
            task_id="score__split",
            size="64Mi",
            delimiter="tab",
            quote="none",
            escape="\\",
            inputs={"data": take_clients.output["data"]},
            outputs={"parts": "clients.csv.gz"},
        )
        transform_score__each = ForEach(
            task_id="score__each",
            item="data",
            items=transform_score__split.output["parts"],
            arguments={"inputs": {"data": "{data}"}},
        )
        transform_score = JobOperator.partial(
            task_id="score",
            execution_script="score {data} {scores} {notes}",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(hours=1),
            outputs={"scores": "scores.parquet", "notes": "notes.csv"},
        ).expand_kwargs(transform_score__each.output)
        transform_score__merge_scores = MergeFiles(
            task_id="score__merge_scores",
            inputs={"parts": transform_score.output["scores"]},
            outputs={"data": "scores.parquet"},
        )
        transform_score__merge_notes = MergeCsv(
            task_id="score__merge_notes",
            inputs={"parts": transform_score.output["notes"]},
            outputs={"data": "notes.csv"},
        )
