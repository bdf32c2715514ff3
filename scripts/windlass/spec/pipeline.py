"""A pipeline: one YAML file with groups of tasks that becomes one Airflow DAG."""

from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field, PrivateAttr, field_validator

from windlass.spec.assemble import Assembled
from windlass.spec.dag import Dag
from windlass.spec.document import Document
from windlass.spec.follow import Follows, Tree, follows, models_of
from windlass.spec.group import Group
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
"""The longest name of a task with its groups; Airflow takes 250, and tasks that windlass adds have longer names."""


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

    def upstream(self) -> Follows:
        """The ids of the tasks that each task follows; names that do not exist are left out.

        A task follows the tasks whose outputs it takes and those that it needs; a task with neither follows the whole
        group before its own. What a group needs, and a branch that decides about it, all that is in it waits for.
        """
        return follows(self.tree)


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
    pipeline = salvage_noun(document, Pipeline)
    if pipeline is None or len(pipeline.task_ids) > MAX_TASKS:
        return None
    if not document.problems:
        _add_variants(pipeline, document)
    return pipeline


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
