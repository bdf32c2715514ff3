"""The arguments of one task of the DAG: those of its operator and those that Airflow gives every task."""

from collections.abc import Mapping
from typing import Any

from windlass.catalog.annotation import takes_duration
from windlass.catalog.file_arguments import arguments_with_files
from windlass.catalog.operator import Catalog
from windlass.render.literal import Call
from windlass.render.surroundings import Surroundings
from windlass.render.texts import documentation, filled
from windlass.spec.dag import Dag
from windlass.spec.duration import parse_duration
from windlass.spec.items import holds_item
from windlass.spec.pipeline import Pipeline
from windlass.spec.task import Approval, Task

FOREIGN: Mapping[str, str] = {"ApprovalOperator": "airflow.providers.standard.operators.hitl"}
"""Classes that windlass renders by itself and that come with Airflow, with their modules."""
MADE: Mapping[str, str] = {
    "JobOperator": "job",
    "Branch": "branch",
    "ForEach": "for_each",
    "SplitCsv": "split_csv",
    "SplitFile": "split_file",
    "MergeCsv": "merge_csv",
    "MergeFiles": "merge_files",
}
"""Classes that windlass renders by itself and that every release may carry, with their modules."""


def class_of(task: Task, catalog: Catalog) -> str:
    """The name of the class whose instance the task is."""
    if task.operator_type:
        operator = catalog.operators.get(task.operator_type)
        return operator.class_name if operator else task.operator_type.rpartition(".")[2]
    return "JobOperator" if task.job else "ApprovalOperator" if task.approval else "Branch"


def splitter(pipeline: Pipeline, reference: str) -> tuple[str, str | None]:
    """The class that cuts a file into parts, and the file's name where another task makes it."""
    task_id, _, port = reference.rpartition(".")
    task = pipeline.task_ids.get(task_id)
    name = task.filenames.get(port) if task else None
    return ("SplitCsv" if name is None or name.endswith(".csv") else "SplitFile"), name


def merger(filename: str) -> str:
    """The class that makes a file of its parts."""
    return "MergeCsv" if filename.endswith(".csv") else "MergeFiles"


def modules_of(task: Task, pipeline: Pipeline) -> list[str]:
    """The operator modules that a release needs for the task; none for a class that Airflow brings."""
    if task.operator_type:
        own = [] if "." in task.operator_type else [task.operator_type]
    else:
        own = ["job"] if task.job else ["branch"] if task.branch else []
    if task.split:
        made = {splitter(pipeline, task.inputs[task.split.input])[0], *map(merger, task.filenames.values())}
        own += [MADE[each] for each in sorted(made)] + ["for_each"]
    return own + (["for_each"] if task.for_each else [])


def arguments(task: Task, dag: Dag, surroundings: Surroundings) -> dict[str, Any]:
    """What the operator itself takes, ports and branches left out."""
    if task.job is not None:
        return {
            "execution_script": task.job.execution_script,
            "docker_image": task.job.docker_image,
            "resource_flavor": task.job.resource_flavor or dag.base_resource,
            "execution_time": task.job.execution_time,
        }
    if task.approval is not None:
        return _approval(task.approval)
    operator = surroundings.catalog.operators.get(task.operator_type or "")
    keywords: dict[str, Any] = {}
    for name, value in arguments_with_files(task.arguments, operator).items():
        argument = operator.arguments.get(name) if operator else None
        is_duration = argument is not None and takes_duration(argument.annotation) and isinstance(value, str)
        if is_duration and not (task.for_each and holds_item(value, task.for_each.item)):
            keywords[name] = parse_duration(value)
        else:
            keywords[name] = filled(value, surroundings.texts)
    return keywords


def _approval(approval: Approval) -> dict[str, Any]:
    keywords: dict[str, Any] = {"subject": approval.subject}
    if approval.body:
        keywords["body"] = approval.body
    if approval.default:
        keywords["defaults"] = [approval.default.capitalize()]
    if approval.timeout:
        keywords["response_timeout"] = approval.timeout
    if approval.approvers:
        keywords["assigned_users"] = [{"id": name, "name": name} for name in approval.approvers]
    return keywords | ({"fail_on_reject": True} if approval.on_reject == "fail" else {})


def of_first_run(task: Task) -> dict[str, Any]:
    """What decides whether and when the task begins; of several tasks of the DAG only the first has it."""
    return {"trigger_rule": task.trigger_rule} if task.trigger_rule else {}


def of_each_run(task: Task, dag: Dag, surroundings: Surroundings) -> dict[str, Any]:
    """What Airflow gives every task, where the pipeline says something about it."""
    keywords = tries_and_limits(task)
    if dag.execution_time and not task.execution_time and (task.job or task.approval):
        keywords["execution_timeout"] = None  # a job has its own limit, and people take their time
    for name, value in (("pool", task.pool), ("pool_slots", task.pool_slots), ("queue", task.queue)):
        if value is not None:
            keywords[name] = value
    if task.priority is not None:
        keywords["priority_weight"] = task.priority
    if task.assets and task.assets.inlets:
        keywords["inlets"] = [Call("Asset", [name]) for name in task.assets.inlets]
    if task.assets and task.assets.outlets:
        keywords["outlets"] = [Call("Asset", [name]) for name in task.assets.outlets]
    if task.docs:
        keywords["doc_md"] = documentation(task.docs, surroundings.texts)
    return keywords


def tries_and_limits(settings: Task | Dag) -> dict[str, Any]:
    """How often, how long and after which waits a task is tried, as far as it is said."""
    found = {
        "retries": settings.retries,
        "retry_delay": settings.retry_delay,
        "retry_exponential_backoff": _growth(settings.retry_backoff),
        "max_retry_delay": settings.max_retry_delay,
        "execution_timeout": settings.execution_time,
    }
    return {name: value for name, value in found.items() if value is not None}


def _growth(factor: float | None) -> Call | bool | None:
    """How Airflow is told by which factor waits grow: 2 and none at all are words that all of its versions know."""
    if factor is None:
        return None
    if factor in (0, 2):
        return factor == 2
    return Call("backoff", [int(factor) if factor.is_integer() else factor])
