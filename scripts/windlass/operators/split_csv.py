"""Cuts a CSV file into parts."""

from typing import Any

from airflow.sdk import BaseOperator

from ..runtime.errors import RuntimeStop
from ..runtime.transfer import check_names


class SplitCsv(BaseOperator):
    """Cuts a CSV file into parts of whole records, each with the header, so that a task can run once for each part.

    Quoted fields may hold line ends. The parts, merged again, are the same bytes. A file without rows makes one part.

    Args:
        rows: How many records a part has at most. Give exactly one of `rows`, `size` and `parts`.
        size: How large a part gets at most, like `64Mi`; a single record that is larger makes a part of its own.
        parts: How many parts of about the same size there shall be; fewer where there are fewer records.
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
        inputs: dict[str, Any],
        outputs: dict[str, str],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        given = {"rows": rows, "size": size, "parts": parts}
        if sum(value is not None for value in given.values()) != 1:
            raise ValueError("split_csv needs exactly one of rows, size and parts")
        if any(isinstance(value, int) and value < 1 for value in given.values()):
            raise ValueError("split_csv: rows and parts must be at least 1")
        check_names(outputs)
        self.rows = rows
        self.size = size
        self.parts = parts
        self.inputs = inputs
        self.outputs = outputs

    def execute(self, context: Any) -> Any:
        """The references of the parts, pushed for the port `parts` and returned: Airflow maps over what is returned."""
        from ..runtime.csv_text import Cut, parse_size, split
        from ..runtime.of_airflow import conf
        from ..runtime.task_files import task_files

        cut = Cut(self.rows, parse_size(self.size) if self.size else None, self.parts)
        most = conf.getint("core", "max_map_length", fallback=1024)
        with task_files(self, context) as files:
            target = files.output("parts")
            made = split(files.fetch("data"), cut, target.parent, target.name)
            return files.keep_each("parts", _at_most(most, made))


def _at_most(most: int, paths: Any) -> Any:
    for number, path in enumerate(paths, 1):
        if number > most:
            raise RuntimeStop(f"the file makes more than {most} parts, Airflow's max_map_length; make them larger")
        yield path
