"""An operator that takes its query from a file, as Airflow's own do."""

from typing import Any

from airflow.sdk import BaseOperator


class Ask(BaseOperator):
    """Asks a question."""

    template_fields = ("query",)
    template_ext = (".hql",)

    def __init__(self, *, query: str, other: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.query, self.other = query, other

    def execute(self, context: Any) -> None:
        raise NotImplementedError
