"""The Python names in a rendered module: a variable for each task and group, and classes that do not clash."""

from collections.abc import Iterable

from windlass.spec.pipeline import Pipeline

_TAKEN = ("backoff", "by_environment", "cross_downstream", "only_if", "skip_if", "datetime", "timedelta")
"""What rendered modules import in lower case."""


def variables(pipeline: Pipeline, steps: Iterable[str]) -> dict[str, str]:
    """A variable for each step and group: `group_task` and `group_group`, made different where they clash."""
    names: dict[str, str] = {}
    taken = set(_TAKEN)
    for thing in (*steps, *pipeline.tree.groups):
        wanted = thing.replace(".", "_") + ("_group" if thing in pipeline.tree.groups else "")
        count, name = 1, wanted
        while name in taken:
            count += 1
            name = f"{wanted}_{count}"
        names[thing] = name
        taken.add(name)
    return names
