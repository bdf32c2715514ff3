"""A file comes into a table whole or not at all, wherever the way breaks off."""

from pathlib import Path
from typing import Any

import psycopg
import pytest

from windlass.runtime.errors import RuntimeStop
from windlass.runtime.load import check_header, load
from windlass.runtime.postgres import in_transaction

pytestmark = pytest.mark.stack

BEFORE = [(1, "old", "kept"), (2, "old", "kept")]
FILE = b'\xef\xbb\xbfid,"a ""b"" %s"\r\n2,new\r\n3,\r\n'
KEYS = {"append": [], "replace": [], "upsert": ["id"]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "rows.csv").write_bytes(FILE)
    return tmp_path / "rows.csv"


def begin_anew(server: dict[str, Any], *, has_key: bool) -> None:
    with psycopg.connect(**server, autocommit=True) as connection:
        connection.execute("drop table if exists rows")
        key = "primary key" if has_key else ""
        connection.execute(
            f"""create table rows (id int {key}, "a ""b"" %s" text, other text default 'kept')""".encode()
        )
        connection.execute("insert into rows values (1, 'old'), (2, 'old')")


def rows(server: dict[str, Any]) -> list[tuple[Any, ...]]:
    with psycopg.connect(**server) as connection:
        return connection.execute("select * from rows order by id, 2").fetchall()


class Breaking:
    """A driver's connection that breaks at the call `at`, counted over everything that is asked of the server."""

    def __init__(self, connection: Any, at: int | None) -> None:
        self._connection, self._at, self.calls = connection, at, 0

    def asked(self) -> None:
        self.calls += 1
        if self.calls == self._at:
            raise psycopg.OperationalError("the server closed the connection unexpectedly")

    def cursor(self) -> Any:
        cursor, asked = self._connection.cursor(), self.asked

        class Cursor:
            rowcount = property(lambda self: cursor.rowcount)

            def execute(self, statement: Any) -> None:
                asked()
                cursor.execute(statement)

            def copy(self, statement: Any) -> Any:
                asked()
                return cursor.copy(statement)

        return Cursor()

    def commit(self) -> None:
        self.asked()
        self._connection.commit()

    def close(self) -> None:
        self._connection.close()


Breaking.__module__ = "psycopg"  # Database asks the connection which driver it is of


def bring(server: dict[str, Any], path: Path, mode: str, at: int | None = None) -> int:
    breaking = Breaking(psycopg.connect(**server), at)
    with in_transaction(breaking, "dwh") as database:
        load(database, path, "rows", mode, KEYS[mode])
    return breaking.calls


@pytest.mark.parametrize(
    ("mode", "after"),
    [
        ("append", [(1, "old", "kept"), (2, "new", "kept"), (2, "old", "kept"), (3, None, "kept")]),
        ("replace", [(2, "new", "kept"), (3, None, "kept")]),
        ("upsert", [(1, "old", "kept"), (2, "new", "kept"), (3, None, "kept")]),
    ],
)
def test_wherever_it_breaks_off_the_table_is_as_it_was_and_again_makes_it_right(
    mode: str, after: list[tuple[Any, ...]], server: dict[str, Any], path: Path
) -> None:
    begin_anew(server, has_key=mode == "upsert")
    calls = bring(server, path, mode)
    assert rows(server) == after
    assert calls == (7 if mode == "replace" else 6)
    for at in range(1, calls + 1):
        begin_anew(server, has_key=mode == "upsert")
        with pytest.raises(RuntimeStop, match="connection 'dwh': the server closed the connection"):
            bring(server, path, mode, at)
        assert rows(server) == BEFORE
    bring(server, path, mode)
    assert rows(server) == after


def test_a_record_that_was_once_the_mark_of_the_end_ends_nothing(server: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b'other\n"x\n\\.\ny"\n\\.\nz\n')
    begin_anew(server, has_key=False)
    with in_transaction(psycopg.connect(**server), "dwh") as database:
        assert load(database, tmp_path / "x.csv", "rows", "replace") == 3
    assert sorted(row[2] for row in rows(server)) == ["\\.", "x\n\\.\ny", "z"]


def test_a_header_must_name_each_column_once_and_all_keys() -> None:
    check_header(["b", "a"], None, ["a"])
    for found, columns, keys, reason in (
        (["a", "b"], ["b", "a"], [], r"the file has the columns \['a', 'b'\], not \['b', 'a'\]"),
        (["a", "a"], None, [], "must name each column once"),
        (["a", ""], None, [], "must name each column once"),
        (["a"], None, ["b"], r"the file lacks the key 'b'; it has \['a'\]"),
    ):
        with pytest.raises(RuntimeStop, match=reason):
            check_header(found, columns, keys)
