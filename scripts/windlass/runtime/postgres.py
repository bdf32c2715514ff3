"""PostgreSQL by an Airflow connection: one transaction, COPY as a stream, and refusals in one sentence."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from .errors import RuntimeStop

CHUNK = 1024 * 1024


class Database:
    """An open transaction, through psycopg 3 or psycopg2, whichever the PostgreSQL provider uses."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._cursor = connection.cursor()
        self._driver = importlib.import_module(type(connection).__module__.partition(".")[0])
        self._sql = importlib.import_module(f"{self._driver.__name__}.sql")

    @property
    def error(self) -> Any:
        """What the driver raises."""
        return self._driver.Error

    def execute(self, statement: Any) -> int:
        """Runs a statement, or several in one text; how many rows it concerned."""
        self._cursor.execute(statement)
        return int(self._cursor.rowcount)

    def statement(self, text: str, **names: Any) -> Any:
        """`text` with each `{name}` replaced by an identifier, quoted by the driver.

        A list is several of them with commas between, a tuple one with dots.
        """
        return self._sql.SQL(text).format(**{key: self._identifier(value) for key, value in names.items()})

    def copy_out(self, statement: Any, path: Path) -> None:
        """Writes what `COPY ... TO STDOUT` sends to a file as it comes."""
        with path.open("wb") as file:
            if hasattr(self._cursor, "copy_expert"):
                self._cursor.copy_expert(statement, file)
                return
            with self._cursor.copy(statement) as copy:
                for block in copy:
                    file.write(block)

    def copy_in(self, statement: Any, path: Path) -> None:
        """Sends a file to `COPY ... FROM STDIN` piece by piece."""
        with path.open("rb") as file:
            if hasattr(self._cursor, "copy_expert"):
                self._cursor.copy_expert(statement, file, CHUNK)
                return
            with self._cursor.copy(statement) as copy:
                while block := file.read(CHUNK):
                    copy.write(block)

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
    try:
        database.execute("SET LOCAL standard_conforming_strings = on")  # a backslash in '...' is a backslash
        if read_only:
            database.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield database
        opened.commit()
    except database.error as error:
        raise RuntimeStop(f"connection {name!r}: {_said(error)}") from error
    finally:
        opened.close()  # without a commit, everything is undone


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
