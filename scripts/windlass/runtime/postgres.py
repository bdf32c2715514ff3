"""PostgreSQL by an Airflow connection: one transaction, COPY as a stream, and refusals in one sentence."""

import importlib
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from .errors import RuntimeStop
from .interruptible import interruptible

CHUNK = 1024 * 1024
_open: list["Database"] = []
"""Transactions of this process that have not come to their end: a task has one at a time."""
_NOTICE_THAT_NOBODY_LISTENS = """
DO $$ BEGIN PERFORM set_config('client_connection_check_interval', '10s', true);
EXCEPTION WHEN OTHERS THEN NULL; END $$
"""
"""A worker that is killed cannot cancel anything: since PostgreSQL 14 a server on Linux can look for itself."""


class Database:
    """An open transaction, through psycopg 3 or psycopg2, whichever the PostgreSQL provider uses."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self.is_at_work = False
        self._driver = importlib.import_module(type(connection).__module__.partition(".")[0])
        self._sql = importlib.import_module(f"{self._driver.__name__}.sql")

    @property
    def error(self) -> Any:
        """What the driver raises."""
        return self._driver.Error

    def execute(self, statement: Any) -> int:
        """Runs a statement, or several in one text; how many rows it concerned."""
        self._interruptible(lambda: self._cursor.execute(statement))
        return int(self._cursor.rowcount)

    def statement(self, text: str, **names: Any) -> Any:
        """`text` with each `{name}` replaced by an identifier, quoted by the driver.

        A list is several of them with commas between, a tuple one with dots.
        """
        return self._sql.SQL(text).format(**{key: self._identifier(value) for key, value in names.items()})

    def copy_out(self, statement: Any, path: Path) -> None:
        """Writes what `COPY ... TO STDOUT` sends to a file as it comes."""
        self._interruptible(lambda: self._copy_out(statement, path))

    def _copy_out(self, statement: Any, path: Path) -> None:
        with path.open("wb") as file:
            if hasattr(self._cursor, "copy_expert"):
                self._cursor.copy_expert(statement, file)
                return
            with self._cursor.copy(statement) as copy:
                for block in copy:
                    file.write(block)

    def copy_in(self, statement: Any, path: Path) -> None:
        """Sends a file to `COPY ... FROM STDIN` piece by piece."""
        self._interruptible(lambda: self._copy_in(statement, path))

    def _copy_in(self, statement: Any, path: Path) -> None:
        with path.open("rb") as file:
            if hasattr(self._cursor, "copy_expert"):
                self._cursor.copy_expert(statement, file, CHUNK)
                return
            with self._cursor.copy(statement) as copy:
                while block := file.read(CHUNK):
                    copy.write(block)

    def _interruptible(self, work: Callable[[], Any]) -> None:
        """What the server works at is cancelled there when this is interrupted: else it would go on for nobody."""

        def abandon() -> None:
            with socket.socket(fileno=os.dup(self._connection.fileno())) as line:
                line.shutdown(socket.SHUT_RDWR)

        def watched() -> None:
            self.is_at_work = True
            try:
                work()
            finally:
                self.is_at_work = False

        interruptible(watched, self._cancel, abandon)

    def _cancel(self) -> None:
        with suppress(self.error):  # the server is away: closing the connection is all that is left to do
            getattr(self._connection, "cancel_safe", self._connection.cancel)()  # psycopg 3 can encrypt it

    def _identifier(self, value: Any) -> Any:
        if isinstance(value, (str, tuple)):
            return self._sql.Identifier(*((value,) if isinstance(value, str) else value))
        return self._sql.SQL(", ").join(self._sql.Identifier(name) for name in value)


def transaction(connection: str, *, read_only: bool = False) -> AbstractContextManager[Database]:
    """A transaction on the database of an Airflow connection; it is committed when the block ends well.

    RuntimeStop says what the database refused, in its own words.
    """
    return in_transaction(_connect(connection), connection, read_only=read_only)


@contextmanager
def in_transaction(opened: Any, name: str, *, read_only: bool = False) -> Iterator[Database]:
    """The same on a driver's connection, which is closed afterwards; `name` is what messages call it."""
    database = Database(opened)
    _open.append(database)
    try:
        database.execute("SET LOCAL standard_conforming_strings = on")  # a backslash in '...' is a backslash
        if read_only:
            database.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        database.execute(_NOTICE_THAT_NOBODY_LISTENS)
        yield database
        _open.remove(database)  # from here on it is too late to stop
        opened.commit()
    except database.error as error:
        raise RuntimeStop(f"connection {name!r}: {_said(error)}") from error
    finally:
        if database in _open:
            _open.remove(database)
        if not database.is_at_work:  # a driver that still waits would use what was freed
            opened.close()  # without a commit, everything is undone


def stop_transactions() -> None:
    """For `on_kill`, which Airflow calls at SIGTERM and then lets `execute` go on: only raising ends the task."""
    if _open:
        raise RuntimeStop("the task was told to stop while the database worked for it; nothing was changed there")


def render_sql(task: Any, text: str, context: Any) -> str:
    """`text` after Airflow's templates; no value that they print can become a part of a statement."""
    from jinja2 import TemplateError

    from .sql_text import SqlText

    sql = SqlText()
    environment = task.get_template_env().overlay(finalize=sql.mark)
    try:
        return sql.filled(str(task.render_template(text, context, environment)))
    except TemplateError as error:
        raise RuntimeStop(f"sql: {error}") from error


def _connect(connection: str) -> Any:
    try:
        from airflow.providers.postgres.hooks.postgres import PostgresHook
    except ImportError as error:
        raise RuntimeStop(
            "this Airflow lacks the PostgreSQL provider; add apache-airflow-providers-postgres to its image"
        ) from error
    from .of_airflow import AirflowNotFoundException

    try:
        return PostgresHook(postgres_conn_id=connection).get_conn()
    except AirflowNotFoundException as error:
        raise RuntimeStop(f"there is no connection {connection!r} in this Airflow; declare it") from error
    except _driver_errors() as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise RuntimeStop(f"connection {connection!r}: the database cannot be reached: {reason[0][:300]}") from error


def _driver_errors() -> tuple[Any, ...]:
    """What the drivers that the provider has imported raise."""
    return tuple(sys.modules[name].Error for name in ("psycopg", "psycopg2") if name in sys.modules)


def _said(error: Any) -> str:
    """The database's message with its detail and, for a file, the line."""
    diagnosis = error.diag
    message = diagnosis.message_primary or str(error).strip() or type(error).__name__
    detail = [text for text in (diagnosis.message_detail, diagnosis.context) if text]
    said = "; ".join([message.splitlines()[0], *(text.splitlines()[0] for text in detail)])
    return said if len(said) <= 500 else said[:497] + "..."
