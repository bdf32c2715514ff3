"""Cuts a file of rows into parts."""

from typing import Any

from airflow.sdk import BaseOperator


class SplitFile(BaseOperator):
    """Cuts a CSV, JSON lines or Parquet file into parts of whole records, so that a task can run once for each part.

    The endings say what it is: `.csv`, `.jsonl`, either with `.gz` or `.zst` behind it, or `.parquet`. A part of a CSV
    file has the header; quoted fields may hold line ends. The parts, merged again, are the same bytes (of Parquet: the
    same rows). A file without rows makes one part. It streams from S3 to S3. zstd and Parquet need pyarrow in Airflow's
    image; a Parquet file is fetched to the worker's disk.

    Args:
        rows: How many records a part has at most. Give exactly one of `rows`, `size` and `parts`.
        size: How large a part gets at most, like `64Mi`, as it is unpacked; a single record that is larger makes a part
            of its own. Of a Parquet file it is about what a part has.
        parts: How many parts of about the same size there shall be; fewer where there are fewer records.
        delimiter: The one character between fields of a CSV file, where its header does not show it, or `tab`.
        quote: The character that quotes fields of a CSV file where it is not `"`, or `none`.
        escape: The character that takes the next one's meaning away in a CSV file, like a backslash.
        inputs: The port `data`: the file to cut.
        outputs: The port `parts`: a list of files; `orders.csv.gz` makes `orders-00000.csv.gz` and so on.

    Example:
        parts:
          operator_type: split_file
          size: 256Mi
          inputs: {data: take.orders.data}
          outputs: {parts: orders.parquet}
    """

    inputs: dict[str, Any] = {"data": ""}
    outputs: dict[str, str] = {"parts": ""}
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
