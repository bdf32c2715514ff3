"""Rendered by windlass from pipelines/checked.yml; change it there."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, TaskGroup
from digits.operators.for_each import ForEach
from digits.operators.job import JobOperator
from digits.operators.merge_files import MergeFiles
from digits.operators.s3_to_file import S3ToFile
from digits.operators.split_csv import SplitCsv
from digits.runtime.checked import Checked
from digits.runtime.settings import by_environment

with DAG(
    dag_id="checked",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")),
    catchup=False,
    default_args={"owner": "airflow", "retries": 0},
):
    with TaskGroup(group_id="extract"):
        extract_clients = S3ToFile(
            task_id="clients",
            key="incoming/clients.csv",
            outputs={
                "data": by_environment(Checked("clients.csv", rows={"at_least": 100}), dev="clients.csv"),
            },
        )

    with TaskGroup(group_id="transform"):
        transform_score = JobOperator(
            task_id="score",
            execution_script="python3 score.py {clients} {scores} {log}",
            docker_image="python3-11",
            resource_flavor=None,
            execution_time=timedelta(minutes=10),
            inputs={"clients": extract_clients.output["data"]},
            outputs={
                "scores": Checked(
                    "scores.csv",
                    rows={"at_least": by_environment(1, dev=0), "at_most": 1000000},
                    columns=by_environment(
                        {
                            "id": "integer",
                            "score": {"type": "number", "nulls": False, "at_least": 0, "at_most": 1},
                            "currency": {"one_of": ["EUR", "USD"]},
                            "code": {"type": "string", "matches": "[A-Z]{3}"},
                            "since when": {"type": "date", "at_least": "2020-01-01"},
                        },
                        dev={
                            "id": {"type": "integer", "at_least": 1},
                            "score": {"type": "number", "nulls": False, "at_least": 0, "at_most": 2},
                            "code": {"type": "string", "matches": "[A-Z]{3}"},
                            "since when": {"type": "date", "at_least": "2020-01-01"},
                        },
                    ),
                    unique=["id"],
                    extra_columns="refuse",
                ),
                "log": "log.txt",
            },
        )
        transform_each__split = SplitCsv(
            task_id="each__split",
            parts=4,
            inputs={"data": extract_clients.output["data"]},
            outputs={"parts": "clients.csv"},
        )
        transform_each__each = ForEach(
            task_id="each__each",
            item="clients",
            items=transform_each__split.output["parts"],
            arguments={"inputs": {"clients": "{clients}"}},
        )
        transform_each = JobOperator.partial(
            task_id="each",
            execution_script="python3 each.py {clients} {lines}",
            docker_image="python3-11",
            resource_flavor=None,
            execution_time=timedelta(minutes=10),
            outputs={
                "lines": Checked(
                    "lines.jsonl.gz",
                    columns={
                        "id": by_environment(
                            {"type": "integer", "at_least": 1},
                            dev={"type": "integer", "nulls": False, "at_least": 1},
                        ),
                    },
                ),
            },
        ).expand_kwargs(transform_each__each.output)
        transform_each__merge_lines = MergeFiles(
            task_id="each__merge_lines",
            inputs={"parts": transform_each.output["lines"]},
            outputs={
                "data": Checked(
                    "lines.jsonl.gz",
                    rows={"at_most": by_environment(500, dev=5)},
                    unique=["id"],
                ),
            },
        )
