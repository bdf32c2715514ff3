"""Lists what a following task runs once for each of."""

from collections.abc import Iterable, Mapping
from typing import Any

from airflow.sdk import BaseOperator

from ..runtime.errors import RuntimeStop


class ForEach(BaseOperator):
    """Returns the arguments of the task that follows, once for each item: Airflow can only map over what is returned.

    Args:
        item: The name that stands for the item: `{name}` in `arguments`.
        items: A list; or another task's output: a list of files, or one `.json` file that holds a list.
        arguments: The arguments that depend on the item.
    """

    inputs: dict[str, Any] = {}
    outputs: dict[str, str] = {}
    template_fields = ("items", "arguments")

    def __init__(self, *, item: str, items: Any, arguments: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.item = item
        self.items = items
        self.arguments = arguments

    def execute(self, context: Any) -> list[Any]:
        from ..runtime.item import untemplated, with_item
        from ..runtime.items import items_of

        several = isinstance(self.items, Iterable) and not isinstance(self.items, (Mapping, str))
        items = list(self.items) if several else self.items
        found = [with_item(self.arguments, self.item, each) for each in items_of(self.item, items)]
        if not found:
            self.log.info("there is no item: the task that follows is skipped")
        if len(found) > _most():
            raise RuntimeStop(f"{len(found)} items are more than {_most()}, Airflow's max_map_length")
        # Airflow fills templates into what `expand_kwargs` gets from another task, in those arguments that take them
        rendered = context["task"].dag.get_task(self.task_id.removesuffix("__each")).template_fields
        return [
            {name: untemplated(value) if name in rendered else value for name, value in one.items()} for one in found
        ]


def _most() -> int:
    from ..runtime.of_airflow import conf

    return int(conf.getint("core", "max_map_length", fallback=1024))
