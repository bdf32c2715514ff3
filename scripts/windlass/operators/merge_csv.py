"""Puts parts of a CSV file together."""

from typing import Any

from airflow.sdk import BaseOperator

from ..runtime.transfer import check_names


class MergeCsv(BaseOperator):
    """Puts CSV files together in their order, below one header; files whose headers differ are refused.

    Args:
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

    def __init__(self, *, inputs: dict[str, Any], outputs: dict[str, str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_names(outputs)
        self.inputs = inputs
        self.outputs = outputs

    def execute(self, context: Any) -> None:
        from ..runtime.csv_text import merge
        from ..runtime.task_files import task_files

        with task_files(self, context) as files:
            merge(files.fetch_each("parts"), files.output("data"))
            files.keep("data")
