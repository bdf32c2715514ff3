"""Both drivers of PostgreSQL behave alike: the provider decides which one a worker has."""

import os
import signal
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg
import psycopg2
import pytest

from windlass.runtime.errors import RuntimeStop
from windlass.runtime.postgres import Database, _said, in_transaction, stop_transactions

pytestmark = pytest.mark.stack

TRICKY = 'a"b.c; drop table x; --'


@pytest.fixture(params=[psycopg, psycopg2], ids=lambda driver: driver.__name__)
def connection(request: pytest.FixtureRequest, server: dict[str, Any]) -> Iterator[Any]:
    opened = request.param.connect(**server)
    yield opened
    opened.close()


def test_a_file_goes_in_and_comes_out_unchanged(connection: Any, tmp_path: Path) -> None:
    database = Database(connection)
    content = b'\xef\xbb\xbfid,note\n1,"two\nlines"\n2,\n3,""\n'
    (tmp_path / "in.csv").write_bytes(content)
    database.execute("create temp table notes (id int, note text)")
    database.copy_in("copy notes from stdin with (format csv, header)", tmp_path / "in.csv")
    database.copy_out(
        "copy (select * from notes order by id) to stdout with (format csv, header)", tmp_path / "out.csv"
    )
    assert (tmp_path / "out.csv").read_bytes() == content[3:]


def test_names_are_quoted_by_the_driver(connection: Any) -> None:
    database = Database(connection)
    database.execute(database.statement("create schema {s}", s=TRICKY))
    names = {"table": (TRICKY, "t%s{x}"), "column": TRICKY, "columns": [TRICKY, "%(b)s"]}
    database.execute(database.statement("create table {table} ({column} int)", **names))
    database.execute(database.statement('alter table {table} add column "%(b)s" int', **names))
    assert database.execute(database.statement("insert into {table} ({columns}) select 1, 2", **names)) == 1


def test_percent_signs_are_only_text(connection: Any) -> None:
    database = Database(connection)
    database.execute("create temp table x (a text); insert into x values ('100%'), ('%s')")
    assert database.execute("delete from x where a like '%s%'") == 1


def test_what_the_database_refuses_is_told_with_its_detail(connection: Any, tmp_path: Path) -> None:
    database = Database(connection)
    database.execute("create temp table ids (id int primary key)")
    (tmp_path / "in.csv").write_text("id\n1\n1\n")
    with pytest.raises(database.error) as caught:
        database.copy_in("copy ids from stdin with (format csv, header)", tmp_path / "in.csv")
    assert "Key (id)=(1) already exists.; COPY ids, line 3" in _said(caught.value)


def test_rows_are_streamed_both_ways(connection: Any, tmp_path: Path) -> None:
    database = Database(connection)
    path = tmp_path / "rows.csv"
    tracemalloc.start()
    try:
        database.copy_out("copy (select i, repeat('x', 100) from generate_series(1, 200000) i) to stdout csv", path)
        database.execute("create temp table rows (i int, x text)")
        database.copy_in("copy rows from stdin csv", path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert path.stat().st_size > 20_000_000 > 4 * peak


WORK = {
    "a statement": lambda database, _: database.execute("insert into made select 1 from pg_sleep(600)"),
    "a query": lambda database, path: database.copy_out("copy (select pg_sleep(600)) to stdout csv", path),
    "a file": lambda database, path: database.copy_in("copy slow from stdin csv", path),
}
SLOW = """
create table if not exists made (i int);
create table if not exists slow (i int);
create or replace function sleep() returns trigger language plpgsql as 'begin perform pg_sleep(600); return new; end';
create or replace trigger sleeps before insert on slow for each row execute function sleep();
"""


def sleeping(watcher: Any) -> list[Any]:
    query = "select pid from pg_stat_activity where pid <> pg_backend_pid() and wait_event = 'PgSleep'"
    found: list[Any] = watcher.execute(query).fetchall()
    return found


def do(work: str, connection: Any, path: Path) -> None:
    with in_transaction(connection, "dwh") as database:
        database.execute("insert into made values (7)")
        WORK[work](database, path)


@pytest.fixture
def told_to_stop_when_it_sleeps(server: dict[str, Any]) -> Iterator[Any]:
    """This process gets SIGTERM, which does what Airflow's handler does, as soon as the server sleeps."""
    before = signal.signal(signal.SIGTERM, lambda *_: stop_transactions())
    with psycopg.connect(**server, autocommit=True) as watcher:
        watcher.execute(SLOW.encode())

        def watch() -> None:
            end = time.monotonic() + 30
            while not sleeping(watcher) and time.monotonic() < end:
                pass
            os.kill(os.getpid(), signal.SIGTERM)

        thread = Thread(target=watch)
        thread.start()
        yield watcher
        thread.join()
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("work", WORK)
def test_what_the_server_works_at_ends_there_when_airflow_ends_the_task(
    work: str, connection: Any, told_to_stop_when_it_sleeps: Any, tmp_path: Path
) -> None:
    path = tmp_path / "data.csv"
    path.write_text("1\n")
    with pytest.raises(RuntimeStop, match="told to stop while the database worked"):
        do(work, connection, path)
    assert sleeping(told_to_stop_when_it_sleeps) == []
    assert told_to_stop_when_it_sleeps.execute("select count(*) from made").fetchone() == (0,)


@pytest.mark.parametrize("work", WORK)
def test_a_server_that_cancels_nothing_is_hung_up_on_before_the_connection_is_closed(
    work: str, connection: Any, told_to_stop_when_it_sleeps: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "data.csv"
    path.write_text("1\n")
    monkeypatch.setattr("windlass.runtime.interruptible.GRACE", 1.0)
    monkeypatch.setattr(Database, "_cancel", lambda database: None)
    with pytest.raises(RuntimeStop, match="told to stop while the database worked"):
        do(work, connection, path)
    assert [thread for thread in threading.enumerate() if "run" in thread.name] == []
    end = "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'"
    told_to_stop_when_it_sleeps.execute(end)


def test_outside_of_a_transaction_there_is_nothing_to_stop(connection: Any) -> None:
    with in_transaction(connection, "dwh"):
        pass
    stop_transactions()


@pytest.mark.parametrize("read_only", [False, True])
def test_the_server_looks_whether_the_task_is_still_there(connection: Any, read_only: bool) -> None:
    with in_transaction(connection, "dwh", read_only=read_only) as database:
        found = database._cursor.execute("show client_connection_check_interval") or database._cursor
        assert found.fetchone() == ("10s",)
