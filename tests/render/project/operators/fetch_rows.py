"""An operator of the project's own, for the tests of rendering."""

from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator


class FetchRows(BaseOperator):
    """Fetches rows; takes values of every kind."""

    inputs: dict[str, Any] = {"*": ""}
    outputs: dict[str, str] = {"data": ".csv"}
    template_fields = ("inputs",)

    def __init__(
        self,
        *,
        query: str,
        limit: timedelta | None = None,
        note: str = "",
        size: int = 1,
        ratio: float = 1.0,
        strict: bool = True,
        nothing: str | None = "",
        columns: list[str] | None = None,
        options: dict[str, Any] | None = None,
        inputs: dict[str, Any] | None = None,
        outputs: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.query, self.limit, self.note = query, limit, note
