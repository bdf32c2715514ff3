"""A pipeline: one YAML file with groups of tasks that becomes one Airflow DAG."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, field_validator

from windlass.spec.assemble import Assembled
from windlass.spec.dag import Dag
from windlass.spec.document import Document
from windlass.spec.follow import Follows, Tree, follows, models_of
from windlass.spec.group import Group, is_task
from windlass.spec.names import Word
from windlass.spec.overlay import Overlay, overlaid
from windlass.spec.salvage import salvage_noun
from windlass.spec.schema import Noun, Text, read_noun
from windlass.spec.task import MODEL_PREFIX, Job, Task

__all__ = ["MODEL_PREFIX", "Dag", "Group", "Job", "Pipeline", "Task", "read_pipeline", "salvage_pipeline"]

MAX_TASKS = 1000
MAX_GROUPS_AROUND = 5
MAX_ENVIRONMENTS = 20
MAX_ID = 200
"""The longest name of a task with its groups: tasks that windlass adds have longer names."""
MAX_ID_OF_AIRFLOW = 250


class Pipeline(Noun):
    """`tasks` maps each group to its tasks and groups, in the order in which they were written.

    What `template` and `with` say is in `dag`, `tasks` and `environments` already.
    """

    template: Text | None = None
    parameters: dict[Word, Any] = Field(default={}, alias="with")
    dag: Dag
    tasks: Annotated[dict[Word, Group], Field(min_length=1)]
    environments: Annotated[dict[Word, Overlay], Field(max_length=MAX_ENVIRONMENTS)] = {}
    _variants: dict[str, "Pipeline"] = PrivateAttr(default_factory=dict)
    _origins: tuple[str, ...] = PrivateAttr(default=())

    @field_validator("tasks")
    @classmethod
    def _is_not_huge(cls, value: dict[str, Group]) -> dict[str, Group]:
        tree = Tree(value)
        if len(tree.tasks) > MAX_TASKS:
            raise ValueError(f"more than {MAX_TASKS:,} tasks; split the pipeline")
        for name in tree.tasks:
            if name.count(".") > MAX_GROUPS_AROUND:
                raise ValueError(f"task {name!r} is in more than {MAX_GROUPS_AROUND} groups")
            if len(name) > MAX_ID:
                raise ValueError(f"{name!r} has more than {MAX_ID} characters; give shorter names")
            merges = [f"{name}__merge_{port}" for port in tree.tasks[name].outputs] if tree.tasks[name].split else []
            if too_long := next((merge for merge in merges if len(merge) > MAX_ID_OF_AIRFLOW), None):
                raise ValueError(
                    f"{too_long!r}, a task that windlass adds, has more than {MAX_ID_OF_AIRFLOW} characters; "
                    "give shorter names"
                )
            made, mark, _ = name.partition("__")
            if mark and made in tree.tasks and (tree.tasks[made].split or tree.tasks[made].for_each):
                raise ValueError(
                    f"{name!r} is what windlass calls a task that it adds for {made!r}; name it differently"
                )
        return value

    @cached_property
    def tree(self) -> Tree:
        """The tasks and groups by their names."""
        return Tree(self.tasks)

    @property
    def task_ids(self) -> dict[str, Task]:
        """Each task by its id `group.task`, in the order in which they were written."""
        return self.tree.tasks

    @property
    def models(self) -> list[str]:
        """The names of the models that the pipeline's jobs take, sorted."""
        return models_of(self.task_ids)

    @property
    def variants(self) -> Mapping[str, "Pipeline"]:
        """The pipeline as it is in each environment that has an overlay."""
        return self._variants

    @property
    def origins(self) -> tuple[str, ...]:
        """The paths of the template and of the defaults that values of the pipeline come from."""
        return self._origins

    @cached_property
    def _follows(self) -> Follows:
        return follows(self.tree)

    def upstream(self) -> Follows:
        """The ids of the tasks that each task follows; names that do not exist are left out.

        A task follows the tasks whose outputs it takes and those that it needs; a task with neither follows the whole
        group before its own. What a group needs, and a branch that decides about it, all that is in it waits for.
        """
        return self._follows


def read_pipeline(document: Document) -> Pipeline | None:
    """The pipeline in `document`, or None; what does not fit is added to the document's problems."""
    pipeline = read_noun(document, Pipeline)
    if pipeline is None or not _add_variants(pipeline, document):
        return None
    return pipeline


def salvage_pipeline(document: Document) -> Pipeline | None:
    """As much of the pipeline as can be understood; what does not fit is added to the document's problems.

    None too when it has more tasks than rules should look at.
    """
    if _has_many(document.value):
        read_noun(document, Pipeline)  # which says that there are too many, and what is wrong with the first of them
        return None
    pipeline = salvage_noun(document, Pipeline)
    if pipeline is None or len(pipeline.task_ids) > MAX_TASKS:
        return None
    if all(problem.rule == "yaml-surprise" for problem in document.problems):  # which is a value all the same
        _add_variants(pipeline, document)
    return pipeline


def _has_many(value: Any) -> bool:
    """Whether more tasks were written than may be, however they look."""
    groups = value.get("tasks") if isinstance(value, dict) else None
    count = 0
    waiting = list(groups.values()) if isinstance(groups, dict) else []
    while waiting and count <= MAX_TASKS:
        group = waiting.pop()
        for key, node in group.items() if isinstance(group, dict) else ():
            if isinstance(node, dict) and not is_task(node):
                waiting.append(node)
            else:
                count += not (key == "needs" and isinstance(node, list))
    return count > MAX_TASKS


def _add_variants(pipeline: Pipeline, document: Document) -> bool:
    """Reads the pipeline once more for each environment that differs; whether that went well."""
    if isinstance(document, Assembled):
        pipeline._origins = document.origins
    for name, overlay in pipeline.environments.items():
        copy = overlaid(document, name, overlay)
        if not copy.problems:
            variant = read_noun(copy, Pipeline)
            if variant is not None:
                pipeline._variants[name] = variant
        document.problems.extend(copy.problems)
    return not document.problems
