"""Says 'hello' to a \\backslash\\, two lines and a quote's end'.

Rendered by windlass from pipelines/own_operator.yml; change it there.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import DAG, TaskGroup
from digits.operators.fetch_rows import FetchRows

with DAG(
    dag_id="own_operator",
    description='Says "hello" to a \\backslash\\,\ntwo lines and a quote\'s end"\n',
    schedule=None,
    start_date=datetime(2025, 12, 31, tzinfo=ZoneInfo("America/New_York")),
    catchup=False,
    default_args={"owner": "airflow", "retries": 0},
    tags=["a", "it's", 'say "x"'],
):
    with TaskGroup(group_id="take"):
        take_rows = FetchRows(
            task_id="rows",
            query=(
                "SELECT *\n"
                "FROM t WHERE name = 'x' AND note = \"y\"\n"
                "\n"
                "ORDER BY a_rather_long_column, another_rather_long_column\n"
            ),
            limit=timedelta(hours=1),
            note="60 minutes",
            size=10,
            ratio=0.25,
            strict=False,
            nothing=None,
            columns=["id", 'quote"d', "tab\tunicode ü \u2028"],
            options={
                "a": {
                    "b": [
                        1,
                        2.5,
                        True,
                        None,
                        "a rather long string that makes the whole mapping longer than a line",
                    ],
                },
                "not a name": [],
            },
            outputs={"data": "rows.csv"},
        )
