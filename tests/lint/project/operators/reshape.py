"""An operator of the project's own, for the tests of lint."""

from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator

raise RuntimeError("lint must not import this file")


class Reshape(BaseOperator):
    """Reshapes a CSV file to Parquet."""

    inputs = {"data": ".csv"}
    outputs = {"data": ".parquet"}
    template_fields = ("inputs",)

    def __init__(
        self,
        *,
        columns: list[str],
        rows: int = 1000,
        limit: timedelta | None = None,
        inputs: dict[str, Any],
        outputs: dict[str, str],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.inputs = inputs or {}
        self.outputs = outputs
