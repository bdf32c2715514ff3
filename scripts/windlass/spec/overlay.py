"""What differs in one environment: values of keys that a pipeline has, never its structure."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from windlass.spec.document import Document, Location
from windlass.spec.group import is_task
from windlass.spec.problem import near
from windlass.spec.schema import Noun
from windlass.spec.task import Job

DAG_KEYS = (
    "description",
    "schedule",
    "timezone",
    "start_date",
    "end_date",
    "catchup",
    "owner",
    "tags",
    "base_resource",
    "retries",
    "retry_delay",
    "retry_backoff",
    "max_retry_delay",
    "execution_time",
    "run_time",
    "deadline",
    "max_active_runs",
    "max_active_tasks",
    "pool",
    "queue",
    "priority",
    "params",
    "notify",
)
TASK_KEYS = (
    "job",
    "retries",
    "retry_delay",
    "retry_backoff",
    "max_retry_delay",
    "execution_time",
    "pool",
    "pool_slots",
    "queue",
    "priority",
    "trigger_rule",
)
_STRUCTURE = {
    "operator_type",
    "approval",
    "branch",
    "inputs",
    "outputs",
    "needs",
    "docs",
    "setup",
    "teardown",
    "assets",
    "only_if",
    "skip_if",
    "for_each",
    "split",
}
_WITHOUT_DEFAULT = {"queue"}
"""Keys whose default is the Airflow's own: they can only differ where they have a value everywhere."""
_LAID_OVER = {"params", "notify", "job"}
"""Mappings of which an overlay names only what differs, null for what is taken away; all others are replaced."""


class Overlay(Noun):
    """The values of one environment, below the same keys as in the pipeline itself."""

    dag: dict[str, Any] = {}
    tasks: dict[str, Any] = {}


def overlaid(document: Document, name: str, overlay: Overlay) -> Document:
    """The pipeline's document as it is in environment `name`; where the overlay cannot be, that is a problem of it."""
    place: Location = ("environments", name)
    value = deepcopy({key: item for key, item in document.value.items() if key != "environments"})
    result = Document(document.path, value, dict(document.keys), dict(document.values))
    for kind in (document.keys, document.values):
        target = result.keys if kind is document.keys else result.values
        target |= {key[2:]: position for key, position in kind.items() if key[:2] == place and len(key) > 2}
    for location, message in (
        *_lay_dag(value.get("dag"), overlay.dag),
        *_lay_tasks(value.get("tasks"), overlay.tasks, ("tasks",), value.get("dag")),
    ):
        result.problems.append(result.problem(location, "schema", message, at_key=True))
    return result


def _lay_dag(dag: Any, overlay: Mapping[str, Any]) -> Iterator[tuple[Location, str]]:
    for key, item in overlay.items():
        if key not in DAG_KEYS:
            yield ("dag", key), f"dag.{key} cannot differ between environments{near(key, DAG_KEYS)}"
        elif key in _WITHOUT_DEFAULT and key not in dag:
            yield ("dag", key), f"dag.{key} has no value that holds everywhere; write it in dag first"
        else:
            _lay(dag, key, item)


def _lay_tasks(node: Any, overlay: Mapping[str, Any], place: Location, dag: Any) -> Iterator[tuple[Location, str]]:
    for key, item in overlay.items():
        where = (*place, key)
        if key not in node or (key == "needs" and isinstance(node[key], list)):
            names = [name for name in node if name != "needs"]
            yield where, f"there is no task or group {'.'.join(map(str, where[1:]))!r}{near(key, names)}"
        elif not isinstance(item, Mapping):
            yield where, f"{key} must be a mapping with the values that differ"
        elif is_task(node[key]):
            yield from _lay_task(node[key], item, where, dag)
        else:
            yield from _lay_tasks(node[key], item, where, dag)


def _lay_task(
    task: dict[str, Any], overlay: Mapping[str, Any], place: Location, dag: Mapping[str, Any]
) -> Iterator[tuple[Location, str]]:
    known = [key for key in (*TASK_KEYS, *task) if key not in _STRUCTURE and (key != "job" or "job" in task)]
    for key, item in overlay.items():
        if key == "outputs" and isinstance(task.get(key), dict) and isinstance(item, Mapping):
            yield from _lay_checks(task[key], item, (*place, key))
        elif key in _STRUCTURE:
            yield (*place, key), f"{key} is structure; it cannot differ between environments"
        elif key not in known:
            yield (*place, key), f"the task has no {key!r}; write its usual value there first{near(key, known)}"
        elif key in _WITHOUT_DEFAULT and key not in task and key not in dag:
            yield (*place, key), f"{key} has no value that holds everywhere; write it in the task first"
        elif key == "job" and isinstance(item, Mapping) and item.keys() - Job.model_fields.keys():
            for name in sorted(item.keys() - Job.model_fields.keys()):
                yield (*place, key, name), f"a job has no key {name!r}{near(name, Job.model_fields)}"
        else:
            _lay(task, key, item)


def _lay_checks(outputs: Any, overlay: Mapping[str, Any], place: Location) -> Iterator[tuple[Location, str]]:
    """What must be true of a file may differ, its name and the ports may not; null takes a check away."""
    for port, item in overlay.items():
        if port not in outputs:
            yield (*place, port), f"there is no output {port!r}{near(port, outputs)}"
        elif not isinstance(item, Mapping) or "file" in item:
            yield (*place, port), "the names of files are structure; they cannot differ between environments"
        else:
            if not isinstance(outputs[port], dict):
                outputs[port] = {"file": outputs[port]}
            _lay_deep(outputs[port], item)


def _lay_deep(target: dict[str, Any], overlay: Mapping[str, Any]) -> None:
    for key, item in overlay.items():
        if isinstance(item, Mapping) and isinstance(target.get(key), str):
            target[key] = {"type": target[key]}  # a column that says no more than that
        if isinstance(item, Mapping) and isinstance(target.get(key), dict):
            _lay_deep(target[key], item)
        elif item is None:
            target.pop(key, None)
        else:
            target[key] = item


def _lay(target: dict[str, Any], key: str, item: Any) -> None:
    if key in _LAID_OVER and isinstance(item, Mapping) and isinstance(target.get(key), dict):
        for name, inner in item.items():
            if key == "params" and isinstance(inner, Mapping) and isinstance(target[key].get(name), dict):
                target[key][name] |= inner
            else:
                target[key][name] = inner
    else:
        target[key] = item
