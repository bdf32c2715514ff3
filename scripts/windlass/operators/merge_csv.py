"""Puts parts of a CSV file together."""

from typing import Any

from airflow.sdk import BaseOperator


class MergeCsv(BaseOperator):
    """Puts CSV files together in their order, below one header; files whose headers differ are refused.

    Args:
        delimiter: The one character between fields, where the header does not show it, or `tab`.
        quote: The character that quotes fields where it is not `"`, or `none`.
        escape: The character that takes the next one's meaning away, like a backslash.
        inputs: The port `parts`: a list of files, as `split_csv` or a task that runs once for each part leaves it.
        outputs: The port `data`: the merged file.

    Example:
        together:
          operator_type: merge_csv
          inputs: {parts: take.parts.parts}
          outputs: {data: orders.csv}
    """

    inputs: dict[str, Any] = {"parts": ".csv"}
    outputs: dict[str, str] = {"data": ".csv"}
    template_fields = ("inputs",)

    def __init__(
        self,
        *,
        delimiter: str | None = None,
        quote: str | None = None,
        escape: str | None = None,
        inputs: dict[str, Any],
        outputs: dict[str, str],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        from ..runtime.part_tasks import check_merge

        self.delimiter = delimiter
        self.quote = quote
        self.escape = escape
        self.inputs = inputs
        self.outputs = outputs
        check_merge(self)

    def execute(self, context: Any) -> None:
        from ..runtime.part_tasks import run_merge

        run_merge(self, context)
