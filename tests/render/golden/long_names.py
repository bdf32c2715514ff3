"""Rendered by windlass from pipelines/long_names.yml; change it there."""

from datetime import datetime
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, TaskGroup, cross_downstream
from digits.operators.s3_to_file import S3ToFile

with DAG(
    dag_id="long_names",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")),
    catchup=False,
    default_args={"owner": "airflow", "retries": 0},
):
    with TaskGroup(group_id="aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"):
        aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb = S3ToFile(
            task_id="bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
            key="k",
            outputs={"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb": "a.csv"},
        )
        aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_cccccccccccccccccccccccccccccc = S3ToFile(
            task_id="cccccccccccccccccccccccccccccc",
            key="k",
            outputs={"cccccccccccccccccccccccccccccccccccccccc": "a.csv"},
        )
        aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_dddddddddddddddddddddddddddddd = S3ToFile(
            task_id="dddddddddddddddddddddddddddddd",
            key="k",
            outputs={"dddddddddddddddddddddddddddddddddddddddd": "a.csv"},
        )

    with TaskGroup(group_id="eeeeeeeeeeeeeeeeeeeeeeeeeeeeee"):
        eeeeeeeeeeeeeeeeeeeeeeeeeeeeee_ffffffffffffffffffffffffffffff = S3ToFile(
            task_id="ffffffffffffffffffffffffffffff",
            key="k",
            outputs={"ffffffffffffffffffffffffffffffffffffffff": "a.csv"},
        )

    with TaskGroup(group_id="gggggggggggggggggggggggggggggg"):
        gggggggggggggggggggggggggggggg_hhhhhhhhhhhhhhhhhhhhhhhhhhhhhh = S3ToFile(
            task_id="hhhhhhhhhhhhhhhhhhhhhhhhhhhhhh",
            key="k",
            outputs={"hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh": "a.csv"},
        )
        gggggggggggggggggggggggggggggg_iiiiiiiiiiiiiiiiiiiiiiiiiiiiii = S3ToFile(
            task_id="iiiiiiiiiiiiiiiiiiiiiiiiiiiiii",
            key="k",
            outputs={"iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii": "a.csv"},
        )

    cross_downstream(
        [
            aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb,
            aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_cccccccccccccccccccccccccccccc,
            aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_dddddddddddddddddddddddddddddd,
        ],
        [eeeeeeeeeeeeeeeeeeeeeeeeeeeeee_ffffffffffffffffffffffffffffff],
    )
    cross_downstream(
        [
            aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb,
            aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_cccccccccccccccccccccccccccccc,
            aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_dddddddddddddddddddddddddddddd,
        ],
        [
            gggggggggggggggggggggggggggggg_hhhhhhhhhhhhhhhhhhhhhhhhhhhhhh,
            gggggggggggggggggggggggggggggg_iiiiiiiiiiiiiiiiiiiiiiiiiiiiii,
        ],
    )
