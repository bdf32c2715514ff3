"""Cuts a CSV file into parts."""

from typing import Any

from airflow.sdk import BaseOperator


class SplitCsv(BaseOperator):
    """Cuts a CSV file into parts of whole records, each with the header, so that a task can run once for each part.

    Quoted fields may hold line ends. The parts, merged again, are the same bytes. A file without rows makes one part.
    It streams from S3 to S3.

    Args:
        rows: How many records a part has at most. Give exactly one of `rows`, `size` and `parts`.
        size: How large a part gets at most, like `64Mi`; a single record that is larger makes a part of its own.
        parts: How many parts of about the same size there shall be; fewer where there are fewer records.
        delimiter: The one character between fields, where its header does not show it, or `tab`.
        quote: The character that quotes fields where it is not `"`, or `none`.
        escape: The character that takes the next one's meaning away, like a backslash.
        inputs: The port `data`: the file to cut.
        outputs: The port `parts`: a list of files; `orders.csv` makes `orders-00000.csv` and so on.

    Example:
        parts:
          operator_type: split_csv
          rows: 1000000
          inputs: {data: take.orders.data}
          outputs: {parts: orders.csv}
    """

    inputs: dict[str, Any] = {"data": ".csv"}
    outputs: dict[str, str] = {"parts": ".csv"}
    template_fields = ("inputs",)

    def __init__(
        self,
        *,
        rows: int | None = None,
        size: str | None = None,
        parts: int | None = None,
        delimiter: str | None = None,
        quote: str | None = None,
        escape: str | None = None,
        inputs: dict[str, Any],
        outputs: dict[str, str],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        from ..runtime.part_tasks import check_split

        self.rows = rows
        self.size = size
        self.parts = parts
        self.delimiter = delimiter
        self.quote = quote
        self.escape = escape
        self.inputs = inputs
        self.outputs = outputs
        check_split(self)

    def execute(self, context: Any) -> Any:
        """The references of the parts, pushed for the port `parts` and returned: Airflow maps over what is returned."""
        from ..runtime.part_tasks import run_split

        return run_split(self, context)
