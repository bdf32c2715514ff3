"""Rendered by windlass from pipelines/on_assets.yml; change it there."""

from datetime import datetime
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, Asset, AssetAll, AssetAny, TaskGroup
from digits.operators.s3_to_file import S3ToFile

with DAG(
    dag_id="on_assets",
    schedule=AssetAny(Asset("a"), AssetAll(Asset("b"), Asset("c/d"))),
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")),
    catchup=False,
    default_args={"owner": "airflow", "retries": 0},
):
    with TaskGroup(group_id="copy"):
        copy_take = S3ToFile(task_id="take", key="a.csv", outputs={"data": "a.csv"}, outlets=[Asset("e")])
