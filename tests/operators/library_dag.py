"""The DAG of the standard library's tests, as windlass would render it: each task is one case."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Asset
from probe.operators.check_data import CheckData
from probe.operators.convert import Convert
from probe.operators.csv_to_pg import CsvToPg
from probe.operators.deliver import Deliver
from probe.operators.file_to_s3 import FileToS3
from probe.operators.http_to_file import HttpToFile
from probe.operators.job import JobOperator
from probe.operators.merge_csv import MergeCsv
from probe.operators.notify import Notify
from probe.operators.pg_to_csv import PgToCsv
from probe.operators.s3_to_file import S3ToFile
from probe.operators.split_csv import SplitCsv
from probe.operators.sql import Sql
from probe.operators.trigger_pipeline import TriggerPipeline
from probe.operators.wait_for_asset import WaitForAsset
from probe.operators.wait_for_file import WaitForFile
from probe.runtime.notifier import Notifier


def as_data(part):
    return {"data": part}


def take(name, key=None):
    return S3ToFile(task_id=f"take_{name}", key=key or f"incoming/{name}.csv", outputs={"data": f"{name}.csv"})


def load(task_id, mode, data, table="scores.credit", **arguments):
    return CsvToPg(task_id=task_id, connection="dwh", table=table, mode=mode, inputs={"data": data}, **arguments)


with DAG(
    dag_id="it",
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    params={"name": "O'Neil'; drop table scores.people; --", "limit": 3, "bad": "3; drop table scores.people"},
):
    # split, once for each part, merge
    orders = take("orders")
    split = SplitCsv(task_id="split", rows=2, inputs={"data": orders.output["data"]}, outputs={"parts": "orders.csv"})
    each = JobOperator.partial(
        task_id="each",
        execution_script="cat {data} > {out}",
        docker_image="python3-11",
        execution_time=timedelta(seconds=20),
        outputs={"out": "out.csv"},
    ).expand(inputs=split.output.map(as_data))
    merge = MergeCsv(task_id="merge", inputs={"parts": each.output["out"]}, outputs={"data": "merged.csv"})
    Deliver(task_id="merged", to="merged.csv", inputs={"file": merge.output["data"]})
    whole = MergeCsv(task_id="merge_split", inputs={"parts": split.output["parts"]}, outputs={"data": "whole.csv"})
    FileToS3(task_id="whole", key="reference/{{ params.limit }}/whole.csv", inputs={"file": whole.output["data"]})
    FileToS3(task_id="into_transfer", key="transfer/x.csv", inputs={"file": whole.output["data"]})
    FileToS3(task_id="leads_out", key="../prod/x.csv", inputs={"file": whole.output["data"]})

    # PostgreSQL
    read = PgToCsv(
        task_id="read",
        connection="dwh",
        sql=(
            "-- O'Neil?\n"
            "select id, name from scores.people where name <> '{{ params.name }}'\n"
            "limit {{ params.limit }}; -- that's it"
        ),
        columns=["id", "name"],
        outputs={"data": "people.csv"},
    )
    read_again = MergeCsv(task_id="as_it_is", inputs={"parts": read.output["data"]}, outputs={"data": "same.csv"})
    Deliver(task_id="people", to="people.csv", inputs={"file": read_again.output["data"]})
    PgToCsv(task_id="found_nothing", connection="dwh", sql="select 1 as x where false", outputs={"data": "x.csv"})
    for task_id, query, columns in (
        ("bad_value", "select {{ params.bad }}", None),
        ("writes", "with x as (delete from scores.people returning 1) select * from x", None),
        ("calls_writer", "select scores.remove_people()", None),
        ("other_columns", "select 1 as a, 2 as b", ["b", "a"]),
        ("no_table", "select * from scores.nothing", None),
        ("two_queries", "select 1; select 2", None),
        ("no_value", "select {{ nonsense }}", None),
    ):
        PgToCsv(task_id=task_id, connection="dwh", sql=query, columns=columns, outputs={"data": "x.csv"})
    PgToCsv(task_id="no_connection", connection="nothing", sql="select 1", outputs={"data": "x.csv"})
    PgToCsv(task_id="wrong_password", connection="locked", sql="select 1", outputs={"data": "x.csv"})

    scores, more, wrong = take("scores"), take("more"), take("wrong")
    appended = load("append", "append", scores.output["data"], columns=["id", "Score", "note"])
    upserted = load("upsert", "upsert", more.output["data"], keys=["id"])
    counted = Sql(
        task_id="count", connection="dwh", sql="insert into scores.counts select count(*), 1 from scores.credit"
    )
    replaced = load("replace", "replace", wrong.output["data"])
    appended >> upserted >> counted >> replaced
    load("replace_other", "replace", more.output["data"], table="scores.other")
    load("keys_only", "upsert", take("ids").output["data"], table="scores.ids", keys=["id"])
    load("other_header", "append", scores.output["data"], columns=["id"])
    load("lacks_key", "upsert", take("keyless").output["data"], keys=["id"])
    load("no_column", "append", take("strange").output["data"])
    load("twice", "upsert", take("twice").output["data"], keys=["id"])
    load("injected", "append", scores.output["data"], table='scores.credit"; drop table scores.people; --')
    Sql(
        task_id="half",
        connection="dwh",
        sql="insert into scores.counts values (7, 7); insert into scores.counts values (1, 'x')",
    )
    Sql(task_id="commits", connection="dwh", sql="insert into scores.counts values (8, 8);\ncommit; select 1")

    # formats and checks
    parquet = Convert(
        task_id="to_parquet",
        types={"note": "string"},
        inputs={"data": scores.output["data"]},
        outputs={"data": "scores.parquet"},
    )
    lines = Convert(task_id="to_lines", inputs={"data": parquet.output["data"]}, outputs={"data": "scores.jsonl"})
    Deliver(task_id="lines", to="scores.jsonl", inputs={"file": lines.output["data"]})
    Convert(
        task_id="no_format", inputs={"data": take("text", "incoming/text.csv").output["data"]}, outputs={"x": "x.jsonl"}
    )
    for name, output in (("csv", scores), ("parquet", parquet), ("lines", lines)):
        CheckData(
            task_id=f"good_{name}",
            rows={"at_least": 3, "at_most": 3},
            columns=["id", "Score", "note"],
            not_null=["id"],
            ranges={"Score": {"at_least": 0, "at_most": 1}},
            unique=["id"],
            inputs={"data": output.output["data"]},
        )
        CheckData(task_id=f"bad_{name}", not_null=["note"], inputs={"data": output.output["data"]})

    # the web
    page = HttpToFile(
        task_id="fetch", url="/rates/{{ params.limit }}.csv", connection="web", outputs={"data": "rates.csv"}
    )
    Deliver(task_id="rates", to="rates.csv", inputs={"file": page.output["data"]})
    HttpToFile(task_id="not_found", url="/nothing?key=secret", connection="web", outputs={"data": "x"})
    told = Notifier("success", ["ops", "away", "nobody"])
    Notify(task_id="chat", connection="web", message="run {{ run_id }} has ended", on_success_callback=told)
    Notify(task_id="mail", connection="mail", message="1 < 2", to=["ops@windlass.example"])
    Notify(task_id="refused_mail", connection="mail", message="1 < 2", to=["ops@nowhere.example"])
    Notify(task_id="by_database", connection="dwh", message="x")

    # other pipelines, files and assets
    TriggerPipeline(task_id="trigger", pipeline="other", conf={"limit": "{{ params.limit }}"})
    TriggerPipeline(task_id="trigger_nothing", pipeline="nothing")
    TriggerPipeline(task_id="trigger_paused", pipeline="other", wait=True)
    WaitForFile(task_id="file_is_there", key="incoming/orders.csv")
    WaitForFile(task_id="no_file", key="incoming/nothing.csv", timeout=timedelta(0))
    news = JobOperator(
        task_id="news",
        execution_script="true",
        docker_image="python3-11",
        execution_time=timedelta(seconds=20),
        outlets=[Asset("news")],
    )
    news >> WaitForAsset(task_id="asset_has_changed", asset="news")
    WaitForAsset(task_id="no_news", asset="silence", timeout=timedelta(0))

with DAG(dag_id="other", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)):
    Notify(task_id="never", connection="web", message="x")
