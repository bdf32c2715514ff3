"""Brings a CSV file into a table of PostgreSQL."""

from typing import Any, Literal

from airflow.sdk import BaseOperator


class CsvToPg(BaseOperator):
    """Brings the rows of a CSV file into a table, all of them or none.

    The file goes to a temporary table first and into `table` in the same transaction: whatever goes wrong, the table
    stays as it was. The header names the table's columns, in any order; columns that it lacks get their defaults. An
    empty field is NULL, `""` is empty text.

    Args:
        connection: The Airflow connection of the database.
        table: The table, with its schema: `scores.credit`. It must exist.
        mode: `append` adds the rows; `replace` empties the table first; `upsert` replaces the rows with the same
            `keys` and adds the others. A retry after a lost connection may append twice: prefer one of the others.
        keys: The columns that tell rows apart in the mode `upsert`; the table needs a unique index on them.
        columns: The header that the file must have, in this order.
        inputs: The port `data`: the CSV file.

    Example:
        to_dwh:
          operator_type: csv_to_pg
          connection: dwh
          table: sales.orders
          mode: upsert
          keys: [id]
          inputs: {data: take.orders.data}
    """

    inputs: dict[str, Any] = {"data": ".csv"}
    outputs: dict[str, str] = {}
    template_fields = ("inputs", "table")

    def __init__(
        self,
        *,
        connection: str,
        table: str,
        mode: Literal["append", "replace", "upsert"] = "append",
        keys: list[str] | None = None,
        columns: list[str] | None = None,
        inputs: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if mode not in ("append", "replace", "upsert"):
            raise ValueError(f"csv_to_pg has the modes 'append', 'replace' and 'upsert', not {mode!r}")
        if bool(keys) != (mode == "upsert"):
            raise ValueError(f"csv_to_pg: keys belong to the mode 'upsert', which needs them; this one is {mode!r}")
        self.connection = connection
        self.table = table
        self.mode = mode
        self.keys = keys
        self.columns = columns
        self.inputs = inputs

    def execute(self, context: Any) -> None:
        from ..runtime.csv_text import header
        from ..runtime.load import check_header, load
        from ..runtime.postgres import transaction
        from ..runtime.task_files import task_files

        with task_files(self, context) as files:
            path = files.fetch("data")
            check_header(header(path), self.columns, self.keys or ())
            with transaction(self.connection) as database:
                count = load(database, path, self.table, self.mode, self.keys or ())
        self.log.info("%s: %s rows into %s", self.mode, count, self.table)

    def on_kill(self) -> None:
        """The query ends on the server too, and what the transaction has done is undone."""
        from ..runtime.postgres import stop_transactions

        stop_transactions()
