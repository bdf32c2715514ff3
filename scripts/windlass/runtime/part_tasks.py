"""What the tasks of split_csv and split_file do alike, and those of merge_csv and merge_files; light to import.

Each operator is a file of its own, which the catalogue reads and a release takes by itself: hence no base class.
"""

from typing import Any

from .csv_dialect import Dialect, dialect_of
from .csv_text import Cut, cut_of
from .splitting import kind_of
from .transfer import check_names


def check_split(task: Any) -> None:
    """ValueError where the arguments of a task that cuts a file cannot be met."""
    check_names(task.outputs)
    kind_of(task.outputs["parts"])
    _cut(task)
    _dialect(task)


def run_split(task: Any, context: Any) -> list[dict[str, Any]]:
    """The references of the parts, pushed for the port `parts`."""
    from .task_files import task_files
    from .task_streams import most_parts, split_input

    with task_files(task, context) as files:
        kept = split_input(files, task.inputs["data"], task.outputs["parts"], _cut(task), _dialect(task), most_parts())
    task.log.info("kept output parts: %s files", len(kept))
    return kept


def check_merge(task: Any) -> None:
    """ValueError where the arguments of a task that puts files together cannot be met."""
    check_names(task.outputs)
    kind_of(task.outputs["data"])
    _dialect(task)


def run_merge(task: Any, context: Any) -> None:
    """Puts the files of the port `parts` together and passes the whole on."""
    from .task_files import task_files
    from .task_streams import merge_input

    with task_files(task, context) as files:
        merge_input(files, task.inputs["parts"], task.outputs["data"], _dialect(task))


def _cut(task: Any) -> Cut:
    return cut_of("split", task.rows, task.size, task.parts)


def _dialect(task: Any) -> Dialect:
    return dialect_of(task.delimiter, task.quote, task.escape)
