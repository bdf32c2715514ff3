"""Decides which of several tasks go on."""

from typing import Any

from airflow.sdk import BaseOperator

from ..runtime.errors import RuntimeStop
from ..runtime.of_airflow import SkipMixin


class Branch(BaseOperator, SkipMixin):
    """Lets the tasks of one case go on and skips those of all others; tasks that no case names go on in any case.

    Airflow's own branches skip whatever follows them and was not chosen, named or not.

    Args:
        by: The word that decides: text, with Airflow's `{{ params.mode }}`, or another task's output, a small file.
        cases: The tasks that go on, by word.
        default: The tasks that go on when no case has that word; without it such a word is an error.
    """

    inputs: dict[str, Any] = {}
    outputs: dict[str, str] = {}
    template_fields = ("by",)
    inherits_from_skipmixin = True

    def __init__(
        self, *, by: Any, cases: dict[str, list[str]], default: list[str] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.by = by
        self.cases = cases
        self.default = default

    def execute(self, context: Any) -> None:
        from ..runtime.conditions import word_of

        word = self.by.strip() if isinstance(self.by, str) else word_of("by", self.by)
        chosen = self.cases.get(word, self.default)
        if chosen is None:
            raise RuntimeStop(f"branch: there is no case {word[:80]!r} and no default; valid: {', '.join(self.cases)}")
        dag = context["task"].dag
        goes_on = {*chosen, *(after for task in chosen for after in dag.get_task(task).get_flat_relative_ids())}
        named = {task for tasks in (*self.cases.values(), self.default or []) for task in tasks}
        self.log.info("%r: %s go on, skipped are %s", word, sorted(chosen), sorted(named - goes_on))
        self.skip(ti=context["ti"], tasks=[dag.get_task(task) for task in sorted(named - goes_on)])
