"""The standard library in a real Airflow, against a real PostgreSQL, S3, web and mail server; one run for all cases."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest

from tests.fakes.http_stub import Request, Stub, http_stub
from tests.fakes.mail_server import MailServer, mail_server
from tests.fakes.postgres_server import PASSWORD, postgres_server
from tests.fakes.s3_server import CREDENTIALS, moto_server
from tests.operators.staged import Ran, release_files, run_dag, stage

pytestmark = pytest.mark.airflow

TABLES = """
create schema scores;
create table scores.people (id int, name text);
insert into scores.people values (1, 'Anna "A"'), (2, 'O''Neil''; drop table scores.people; --'), (3, ''), (4, 'x');
create table scores.credit (id int primary key, "Score" numeric not null, note text, made timestamptz default now());
create table scores.other (id int, "Score" numeric);
insert into scores.other values (9, 9);
create table scores.ids (id int primary key);
insert into scores.ids values (1);
create table scores.counts (n int, m int);
create function scores.remove_people() returns int language sql as 'delete from scores.people; select 1';
"""
ORDERS = b'\xef\xbb\xbfid,note\r\n1,"two\r\nlines"\r\n2,"a ""b"""\r\n3,c\r\n4,d\r\n5,e'
FILES = {
    "orders": ORDERS,
    "scores": b'\xef\xbb\xbfid,Score,note\r\n1,0.5,\r\n2,0.25,""\r\n3,1,"two\r\nlines"\r\n',
    "more": b"Score,id\n0.75,3\n0.1,4\n",
    "wrong": b"id,Score\n5,0.5\n6,many\n",
    "ids": b"id\n1\n2\n",
    "keyless": b"name\nx\n",
    "strange": b'id,"no ""column"""\n1,2\n',
    "twice": b"id,Score\n8,1\n8,2\n",
    "text": b"a,b\n1\n",
}
TOKEN = "the token of the web server"


@dataclass(frozen=True)
class Library:
    """The run, and the services that it talked to."""

    ran: Ran
    s3: Any
    database: psycopg.Connection[Any]
    web: Stub
    mail: MailServer

    def read(self, key: str) -> bytes:
        content: bytes = self.s3.get_object(Bucket="data", Key=f"dev/{key}")["Body"].read()
        return content

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.database.execute(query.encode()).fetchall()


def answer(request: Request) -> tuple[int, Any]:
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return 401, {}
    return (200, b"rate\n1.5\n") if request.path == "/rates/3.csv" or request.method == "POST" else (404, {})


def connections(database: dict[str, Any], web: Stub, mail: MailServer) -> dict[str, str]:
    postgres = {"conn_type": "postgres", "host": database["host"], "port": database["port"], "login": "windlass"}
    made = {
        "dwh": {**postgres, "schema": "postgres", "password": database["password"]},
        "locked": {**postgres, "schema": "postgres", "password": "wrong"},
        "web": {"conn_type": "http", "host": web.url, "password": TOKEN},
        "mail": {
            "conn_type": "smtp",
            "host": "127.0.0.1",
            "port": mail.port,
            "extra": {"disable_ssl": True, "disable_tls": True, "from_email": "windlass@windlass.example"},
        },
    }
    return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(value) for name, value in made.items()}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("airflow")
    dag = Path(__file__).with_name("library_dag.py").read_text()
    with (
        moto_server("code", "models", "data") as endpoint,
        postgres_server() as server,
        http_stub(answer) as web,
        mail_server() as mail,
        psycopg.connect(**server, autocommit=True) as database,
    ):
        database.execute(TABLES)
        s3 = boto3.client("s3", endpoint_url=endpoint, **_for_boto(CREDENTIALS))
        for name, content in FILES.items():
            s3.put_object(Bucket="data", Key=f"dev/incoming/{name}.csv", Body=content)
        root = stage(folder / "bundle", "probe", release_files(dag), endpoint)
        ran = run_dag(root, "it", folder / "home", connections(server, web, mail))
        yield Library(ran, s3, database, web, mail)


def _for_boto(credentials: dict[str, str]) -> dict[str, str]:
    names = {"AWS_DEFAULT_REGION": "region_name"}
    return {names.get(name, name.lower()): value for name, value in credentials.items()}


GOOD = {
    "take_orders", "split", "each", "merge", "merged", "merge_split", "whole",
    "read", "as_it_is", "people", "found_nothing", "take_scores", "take_more", "take_wrong", "append", "upsert",
    "count",
    "replace_other", "take_ids", "keys_only", "take_keyless", "take_strange", "take_twice", "take_text",
    "to_parquet", "to_lines", "lines", "good_csv", "good_parquet", "good_lines",
    "fetch", "rates", "chat", "mail", "trigger", "file_is_there", "news", "asset_has_changed",
}  # fmt: skip


def test_what_should_go_well_does_and_nothing_else(library: Library) -> None:
    log = library.ran.log
    assert {task for task, state in library.ran.states.items() if state == "success"} == GOOD, log[-20000:]
    assert set(library.ran.states.values()) == {"success", "failed"}


REFUSED = [
    ("into_transfer", "key 'transfer/x.csv': transfer/ is for files between tasks"),
    ("leads_out", "key '../prod/x.csv' must be relative to the environment's prefix"),
    ("bad_value", "sql: the value '3; drop table scores.people' stands outside of '...'"),
    ("writes", "cannot execute SELECT in a read-only transaction"),
    ("calls_writer", "cannot execute DELETE in a read-only transaction"),
    ("other_columns", r"the query gives the columns \['a', 'b'\], not \['b', 'a'\]"),
    ("no_table", "connection 'dwh': relation \"scores.nothing\" does not exist"),
    ("two_queries", "sql must be one query"),
    ("no_value", "sql: 'nonsense' is undefined"),
    ("no_connection", "there is no connection 'nothing' in this Airflow"),
    ("wrong_password", "connection 'locked': the database cannot be reached: .*password authentication failed"),
    ("replace", r"invalid input syntax for type numeric: \"many\"; COPY windlass_load, line 3, column Score"),
    ("other_header", r"the file has the columns \['id', 'Score', 'note'\], not \['id'\]"),
    ("lacks_key", r"the file lacks the key 'id'; it has \['name'\]"),
    ("no_column", 'column "no "column"" does not exist'),
    ("twice", "ON CONFLICT DO UPDATE command cannot affect row a second time"),
    ("injected", 'cross-database references are not implemented: "scores.credit"; drop table'),
    ("half", 'invalid input syntax for type integer: "x"'),
    ("commits", "sql: COMMIT is not for the statements to say"),
    ("no_format", "text.csv: CSV parse error: Expected 2 columns, got 1"),
    ("bad_csv", "row 1: column 'note' is empty"),
    ("bad_parquet", "row 1: column 'note' is empty"),
    ("bad_lines", "row 1: column 'note' is empty"),
    ("not_found", r"http://127\.0\.0\.1:\d+/nothing answers 404"),
    ("refused_mail", "connection 'mail': the mail server refused: .*550"),
    ("by_database", "connection 'dwh' is of the type 'postgres'; a message needs http or smtp"),
    ("trigger_nothing", "there is no pipeline 'nothing' in this Airflow"),
    ("trigger_paused", "pipeline 'other' is paused: its run would not begin"),
    ("no_file", "Sensor has timed out"),
    ("no_news", "Sensor has timed out"),
]


def log_of(ran: Ran, task: str) -> str:
    """What was logged while this task ran: they run one after the other."""
    beginning = "running task <TaskInstance: it."
    logs = {log.partition(" ")[0]: log for log in ran.log.split(beginning)[1:]}
    return logs[task]


@pytest.mark.parametrize(("task", "reason"), REFUSED)
def test_what_goes_wrong_ends_the_task_with_one_sentence(library: Library, task: str, reason: str) -> None:
    assert library.ran.states[task] == "failed"
    log = log_of(library.ran, task)
    assert re.search(reason, log), log[-5000:]


def test_every_case_that_fails_is_looked_at(library: Library) -> None:
    assert {task for task, state in library.ran.states.items() if state == "failed"} == {task for task, _ in REFUSED}


def test_a_file_goes_through_split_one_task_for_each_part_and_merge_unchanged(library: Library) -> None:
    assert library.read("delivered/merged.csv") == library.read("reference/3/whole.csv") == ORDERS


def test_a_query_becomes_a_file_and_no_value_a_part_of_it(library: Library) -> None:
    assert library.read("delivered/people.csv") == b'id,name\n1,"Anna ""A"""\n3,""\n4,x\n'
    assert library.rows("select count(*) from scores.people") == [(4,)]


def test_rows_are_appended_or_replaced_by_key_and_a_failure_leaves_the_table_as_it_was(library: Library) -> None:
    assert library.rows('select id, "Score"::text, note, made is not null from scores.credit order by id') == [
        (1, "0.5", None, True),
        (2, "0.25", "", True),
        (3, "0.75", "two\r\nlines", True),
        (4, "0.1", None, True),
    ]
    assert library.rows('select id, "Score"::text from scores.other order by id') == [(3, "0.75"), (4, "0.1")]
    assert library.rows("select id from scores.ids order by id") == [(1,), (2,)]


def test_statements_have_an_effect_together_or_not_at_all(library: Library) -> None:
    assert library.rows("select n, m from scores.counts") == [(4, 1)]


def test_a_file_keeps_its_nulls_and_its_empty_text_through_the_formats(library: Library) -> None:
    assert [json.loads(line) for line in library.read("delivered/scores.jsonl").splitlines()] == [
        {"id": 1, "Score": 0.5, "note": None},
        {"id": 2, "Score": 0.25, "note": ""},
        {"id": 3, "Score": 1.0, "note": "two\r\nlines"},
    ]


def test_a_file_comes_from_the_web_and_a_message_goes_there(library: Library) -> None:
    assert library.read("delivered/rates.csv") == b"rate\n1.5\n"
    posted = [request.body for request in library.web.requests if request.method == "POST"]
    assert posted == [
        {"text": f"run {library.ran.run_id} has ended"},
        {"text": f"pipeline it, run {library.ran.run_id} ended well"},
    ]


def test_a_notifier_tells_those_whom_the_environment_names_and_stops_nothing(library: Library) -> None:
    about = f"pipeline it, run {library.ran.run_id} ended well"
    assert f"{about}: told ops" in library.ran.log
    assert f"{about}: away could not be told of it: there is no connection 'no_such_connection'" in library.ran.log
    assert (
        f"{about}: nobody is to be told of it, and notify in the environment's file names nobody so" in library.ran.log
    )


def test_a_mail_is_sent_as_text(library: Library) -> None:
    (mail,) = library.mail.mails
    assert "To: ops@windlass.example" in mail and f"Subject: it {library.ran.run_id}" in mail


def test_no_secret_is_logged(library: Library) -> None:
    assert all(secret not in library.ran.log for secret in (TOKEN, PASSWORD, "key=secret"))
