"""Rendered by windlass from pipelines/for_each.yml; change it there."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, TaskGroup
from digits.operators.fetch_rows import FetchRows
from digits.operators.for_each import ForEach
from digits.operators.job import JobOperator
from digits.operators.merge_csv import MergeCsv
from digits.operators.s3_to_file import S3ToFile

with DAG(
    dag_id="for_each",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")),
    catchup=False,
    default_args={"owner": "airflow", "retries": 0},
):
    with TaskGroup(group_id="take"):
        take_regions = S3ToFile.partial(
            task_id="regions",
            outputs={"data": "region.csv"},
            max_active_tis_per_dagrun=1,
        ).expand(key=["incoming/north/{{ ds }}.csv", "incoming/south/{{ ds }}.csv"])
        take_both__each = ForEach(
            task_id="both__each",
            item="year",
            items=[2025, 2026],
            arguments={"query": "SELECT * FROM t WHERE y = {year}", "note": "{year}"},
        )
        take_both = FetchRows.partial(
            task_id="both",
            outputs={"data": "rows.csv"},
        ).expand_kwargs(take_both__each.output)
        take_clients = JobOperator(
            task_id="clients",
            execution_script="list > {names}",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
            outputs={"names": "names.json"},
        )

    with TaskGroup(group_id="work"):
        work_scripts__each = ForEach(
            task_id="scripts__each",
            item="client",
            items=take_clients.output["names"],
            arguments={"parameters": {"client": "{client}"}},
            trigger_rule="all_done",
        )
        work_scripts = JobOperator.partial(
            task_id="scripts",
            execution_script="score {client} {ref} > {out}",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
            inputs={"ref": take_clients.output["names"]},
            outputs={"out": "out.csv"},
            retries=3,
            max_active_tis_per_dagrun=4,
        ).expand_kwargs(work_scripts__each.output)
        work_files__each = ForEach(
            task_id="files__each",
            item="file",
            items=take_regions.output["data"],
            arguments={
                "inputs": {
                    "data": "{file}",
                    "names": take_clients.output["names"],
                    "model": "model:digits@0123456789abcdef",
                },
            },
        )
        work_files = JobOperator.partial(
            task_id="files",
            execution_script="wc {data} {names} {model} > {out}",
            docker_image="python3-11",
            resource_flavor="cpu-1gb",
            execution_time=timedelta(minutes=1),
            outputs={"out": "out.csv"},
        ).expand_kwargs(work_files__each.output)
        work_together = MergeCsv(
            task_id="together",
            inputs={"parts": work_files.output["out"]},
            outputs={"data": "all.csv"},
        )
