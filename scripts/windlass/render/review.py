"""Pipelines as a review has them: they start only by hand, and get into the way of nothing that the real ones do.

Each has a name of its own, no schedule, and nobody who is told of it. What it delivers goes below a folder of the
review's own, the assets that it produces have other names, and it starts pipelines of its own review only.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from windlass.spec.dag import Dag
from windlass.spec.errors import DeliveryError
from windlass.spec.group import Group
from windlass.spec.pipeline import Pipeline
from windlass.spec.review import FOLDER, review_asset, review_name
from windlass.spec.schema import Noun
from windlass.spec.task import Assets, Task

_PATHS = {"deliver": "to", "file_to_s3": "key"}
"""The argument by which an operator says where in the data bucket it writes."""
_ASSETS = {"wait_for_asset": "asset"}
"""The argument by which an operator names an asset."""
_STARTS = {"trigger_pipeline": "pipeline", "TriggerDagRunOperator": "trigger_dag_id"}
"""The argument by which an operator names the pipeline that it starts."""
N = TypeVar("N", bound=Noun)


def review_pipelines(pipelines: Mapping[str, Pipeline], project: str, iid: int) -> dict[str, Pipeline]:
    """The pipelines by their paths as the review of merge request `iid` has them; `project` is the review's name."""
    produced = {
        asset
        for pipeline in pipelines.values()
        for each in (pipeline, *pipeline.variants.values())
        for task in each.task_ids.values()
        for asset in (task.assets.outlets if task.assets else ())
    }
    return {path: _pipeline(pipeline, project, iid, produced) for path, pipeline in pipelines.items()}


def _pipeline(pipeline: Pipeline, project: str, iid: int, produced: set[str]) -> Pipeline:
    try:
        name = review_name(pipeline.dag.name, iid)
    except ValueError as error:
        raise DeliveryError(f"pipeline {pipeline.dag.name!r} cannot have a review: {error}") from error

    def in_review(task: Task) -> Task:
        return _task(task, project, iid, produced)

    changed = _changed(pipeline, dag=_dag(pipeline.dag, name, project), tasks=_groups(pipeline.tasks, in_review))
    changed._variants = {
        environment: _pipeline(variant, project, iid, produced) for environment, variant in pipeline.variants.items()
    }
    changed._origins = pipeline.origins
    return changed


def _dag(dag: Dag, name: str, project: str) -> Dag:
    tags = [*dag.tags, *(tag for tag in ("review", project) if tag not in dag.tags)]
    return _changed(dag, name=name, schedule=None, catchup=False, deadline=None, notify=None, tags=tags)


def _groups(groups: Mapping[str, Group], in_review: Callable[[Task], Task]) -> dict[str, Group]:
    return {name: _changed(group, members=_members(group, in_review)) for name, group in groups.items()}


def _members(group: Group, in_review: Callable[[Task], Task]) -> dict[str, Any]:
    return {
        name: in_review(member) if isinstance(member, Task) else _changed(member, members=_members(member, in_review))
        for name, member in group.members.items()
    }


def _task(task: Task, project: str, iid: int, produced: set[str]) -> Task:
    changed: dict[str, Any] = {}
    if task.assets:
        inlets, outlets = ([_asset(name, project, produced) for name in names] for names in _names(task.assets))
        changed["assets"] = _changed(task.assets, inlets=inlets, outlets=outlets)
    kind = task.operator_type or ""
    argument = _PATHS.get(kind) or _ASSETS.get(kind) or _STARTS.get(kind.rpartition(".")[2], "")
    written = task.arguments.get(argument)
    if isinstance(written, str):  # an operator of the project's own may have the name of a standard one
        if kind in _PATHS:
            changed[argument] = f"{FOLDER}/{project}/{written}"
        elif kind in _ASSETS:
            changed[argument] = _asset(written, project, produced)
        else:  # where it is a pipeline of another project there is none of that name, and the run says so
            changed[argument] = f"{written}_mr{iid}"
    return _changed(task, **changed)


def _names(assets: Assets) -> tuple[list[str], list[str]]:
    return assets.inlets, assets.outlets


def _asset(name: str, project: str, produced: set[str]) -> str:
    """An asset that the project itself produces is the review's; another is only read."""
    return review_asset(name, project) if name in produced else name


def _changed(noun: N, **values: Any) -> N:
    """A copy with other values. What the noun worked out of its old ones and kept is not copied."""
    copy = noun.model_copy(update=values)
    for name in copy.__dict__.keys() - type(noun).model_fields.keys():
        del copy.__dict__[name]
    return copy
