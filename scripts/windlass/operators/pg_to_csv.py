"""Takes the result of a query from PostgreSQL into a pipeline."""

from typing import Any

from airflow.sdk import BaseOperator

from ..runtime.errors import RuntimeStop
from ..runtime.transfer import check_names


class PgToCsv(BaseOperator):
    """Writes the result of a query to a CSV file with a header, in one read-only transaction.

    The rows are streamed: memory does not grow with their number. NULL is an empty field, empty text is `""`.

    Args:
        connection: The Airflow connection of the database.
        sql: One query. Airflow's `{{ ds }}` works; inside '...' its value may be anything, elsewhere it must be a
            number or words with commas between them, so that no value can change the query.
        columns: The columns that the result must have, in this order; whoever relies on them is told at once.
        outputs: The port `data`: the CSV file.

    Example:
        clients:
          operator_type: pg_to_csv
          connection: dwh
          sql: "select id, income from clients where day = '{{ ds }}'"
          columns: [id, income]
          outputs: {data: clients.csv}
    """

    inputs: dict[str, Any] = {}
    outputs: dict[str, str] = {"data": ".csv"}
    template_fields = ()  # not the query: its values are put in by render_sql

    def __init__(
        self,
        *,
        connection: str,
        sql: str,
        columns: list[str] | None = None,
        outputs: dict[str, str],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        check_names(outputs)
        self.connection = connection
        self.sql = sql
        self.columns = columns
        self.outputs = outputs

    def execute(self, context: Any) -> None:
        from ..runtime.csv_text import header
        from ..runtime.postgres import render_sql, transaction
        from ..runtime.sql_text import one_query
        from ..runtime.task_files import task_files

        query = one_query(render_sql(self, self.sql, context))
        with task_files(self, context) as files:
            path = files.output("data")
            with transaction(self.connection, read_only=True) as database:
                # the line ends keep a comment at the query's end from hiding the bracket
                database.copy_out(f"COPY (\n{query}\n) TO STDOUT WITH (FORMAT csv, HEADER, ENCODING 'UTF8')", path)
            found = header(path)
            if self.columns is not None and found != self.columns:
                raise RuntimeStop(f"the query gives the columns {found}, not {self.columns}; correct sql or columns")
            files.keep("data")

    def on_kill(self) -> None:
        """The query ends on the server too, and what the transaction has done is undone."""
        from ..runtime.postgres import stop_transactions

        stop_transactions()
