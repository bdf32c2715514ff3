"""Ends a run before bad data gets any further."""

from typing import Any

from airflow.sdk import BaseOperator


class CheckData(BaseOperator):
    """Checks a `.csv`, `.jsonl` or `.parquet` file and names the first row and column that breaks a rule.

    It passes nothing on: the task that takes the file names this one in `needs`. Rows are counted from 1, without the
    header. An empty field of CSV is null.

    Args:
        rows: How many rows there must be: `{at_least: 1, at_most: 1000000}`, one bound or both.
        columns: The columns that the file must have, in this order.
        not_null: Columns that have a value in every row.
        ranges: The bounds of columns: `{age: {at_least: 0, at_most: 120}}`. Bounds in quotes are compared as text,
            which is right for dates like `"2026-01-31"`. Nulls are left to `not_null`.
        unique: Columns that together are different in every row; a row with a null among them is not compared.
        inputs: The port `data`: the file to check.

    Example:
        check_orders:
          operator_type: check_data
          rows: {at_least: 1}
          not_null: [id]
          ranges: {price: {at_least: 0}}
          unique: [id]
          inputs: {data: take.orders.data}
    """

    inputs: dict[str, Any] = {"data": ""}
    outputs: dict[str, str] = {}
    template_fields = ("inputs", "ranges")

    def __init__(
        self,
        *,
        rows: dict[str, int] | None = None,
        columns: list[str] | None = None,
        not_null: list[str] | None = None,
        ranges: dict[str, dict[str, float | str]] | None = None,
        unique: list[str] | None = None,
        inputs: dict[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not any((rows, columns, not_null, ranges, unique)):
            raise ValueError("check_data checks nothing; give rows, columns, not_null, ranges or unique")
        every: list[tuple[str, Any]] = [*(ranges or {}).items(), *([("rows", rows)] if rows else [])]
        for name, bounds in every:
            unknown = sorted(set(bounds) - {"at_least", "at_most"})
            if unknown or not bounds:
                raise ValueError(f"check_data: the bounds of {name} are at_least and at_most, one or both")
        self.rows = rows
        self.columns = columns
        self.not_null = not_null
        self.ranges = ranges
        self.unique = unique
        self.inputs = inputs

    def execute(self, context: Any) -> None:
        from ..runtime.checks import check_rows, data_checks
        from ..runtime.errors import RuntimeStop
        from ..runtime.rows import read_rows
        from ..runtime.task_files import task_files

        try:
            checks = data_checks(self.rows, self.columns, self.not_null, self.ranges, self.unique)
        except ValueError as error:
            raise RuntimeStop(f"check_data: {error}") from error
        with task_files(self, context) as files:
            path = files.fetch("data")
            try:
                columns, rows = read_rows(path)
            except ValueError as error:
                raise RuntimeStop(f"input 'data': {error}") from error
            count = check_rows(checks, columns, rows, files.folder)
        self.log.info("%s rows are as they must be", count)
