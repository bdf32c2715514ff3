"""Puts parts of a file together."""

from typing import Any

from airflow.sdk import BaseOperator

from ..runtime.transfer import check_names


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
        from ..runtime.csv_dialect import dialect_of
        from ..runtime.splitting import kind_of

        check_names(outputs)
        kind_of(outputs["data"])
        dialect_of(delimiter, quote, escape)
        self.delimiter = delimiter
        self.quote = quote
        self.escape = escape
        self.inputs = inputs
        self.outputs = outputs

    def execute(self, context: Any) -> None:
        from ..runtime.csv_dialect import dialect_of
        from ..runtime.task_files import task_files
        from ..runtime.task_streams import merge_input

        dialect = dialect_of(self.delimiter, self.quote, self.escape)
        with task_files(self, context) as files:
            merge_input(files, self.inputs["parts"], self.outputs["data"], dialect)
