"""Both drivers of PostgreSQL behave alike: the provider decides which one a worker has."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import psycopg2
import pytest

from windlass.runtime.postgres import Database, _said

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
