"""Puts parts of a file together."""

from typing import Any

from airflow.sdk import BaseOperator


class MergeFiles(BaseOperator):
    """Puts CSV, JSON lines or Parquet files together in their order; headers or columns that differ are refused.

    The endings say what they are, as for `split_file`. It streams from S3 to S3.

    Args:
        delimiter: The one character between fields of CSV files, where the header does not show it, or `tab`.
        quote: The character that quotes fields where it is not `"`, or `none`.
        escape: The character that takes the next one's meaning away, like a backslash.
        inputs: The port `parts`: a list of files, as `split_file` or a task that runs once for each part leaves it.
        outputs: The port `data`: the merged file.

    Example:
        together:
          operator_type: merge_files
          inputs: {parts: take.parts.parts}
          outputs: {data: orders.parquet}
    """

    inputs: dict[str, Any] = {"parts": ""}
    outputs: dict[str, str] = {"data": ""}
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
