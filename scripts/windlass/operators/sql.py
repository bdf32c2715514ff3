"""Runs SQL in PostgreSQL."""

from typing import Any

from airflow.sdk import BaseOperator


class Sql(BaseOperator):
    """Runs statements in one transaction: all of them have an effect, or none.

    Args:
        connection: The Airflow connection of the database.
        sql: The statements, with `;` between them. Airflow's `{{ ds }}` works; inside '...' its value may be anything,
            elsewhere it must be a number or words with commas between them, so that no value can change a statement.

    Example:
        refresh:
          operator_type: sql
          connection: dwh
          sql: "delete from sums where day = '{{ ds }}'; insert into sums select * from sums_of('{{ ds }}')"
    """

    inputs: dict[str, Any] = {}
    outputs: dict[str, str] = {}
    template_fields = ()  # not the statements: their values are put in by render_sql

    def __init__(self, *, connection: str, sql: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.connection = connection
        self.sql = sql

    def execute(self, context: Any) -> None:
        from ..runtime.postgres import render_sql, transaction
        from ..runtime.sql_text import check_one_transaction

        statements = render_sql(self, self.sql, context)
        check_one_transaction(statements)
        with transaction(self.connection) as database:
            database.execute(statements)

    def on_kill(self) -> None:
        """The query ends on the server too, and what the transaction has done is undone."""
        from ..runtime.postgres import stop_transactions

        stop_transactions()
