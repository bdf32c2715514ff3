"""Scores handwritten digits each morning.

Rendered by windlass from pipelines/read_digits.yml; change it there.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, TaskGroup
from digits.operators.deliver import Deliver
from digits.operators.job import JobOperator
from digits.operators.s3_to_file import S3ToFile

with DAG(
    dag_id="read_digits",
    description="Scores handwritten digits each morning.",
    schedule="0 6 * * *",
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")),
    catchup=False,
    default_args={"owner": "ocr", "retries": 1},
    tags=["digits"],
):
    with TaskGroup(group_id="extract"):
        extract_images = S3ToFile(
            task_id="images",
            key="incoming/digits/batch.csv",
            outputs={"images": "images.csv"},
        )

    with TaskGroup(group_id="transform"):
        transform_score = JobOperator(
            task_id="score",
            execution_script="python {model}/score.py --images {images} --out {predictions}",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=10),
            inputs={"images": extract_images.output["images"], "model": "model:digits@0123456789abcdef"},
            outputs={"predictions": "predictions.csv"},
        )

    with TaskGroup(group_id="load"):
        load_deliver = Deliver(
            task_id="deliver",
            to="digits/{ds}/predictions.csv",
            inputs={"predictions": transform_score.output["predictions"]},
        )
