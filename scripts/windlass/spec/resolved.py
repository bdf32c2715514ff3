"""A pipeline as it was rendered, as plain data that a release carries: plans compare it, and nothing is run from it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from json.encoder import encode_basestring_ascii
from typing import Any

from windlass.spec.duration import duration_text
from windlass.spec.pipeline import Dag, Pipeline, Task

FOLDER = "pipelines/"
MAX_BYTES = 4_000_000
"""The longest file that is written or read: a longer pipeline is delivered without one."""
_MAX_DEPTH = 64
_MAX_VALUES = 200_000


@dataclass(frozen=True)
class Resolved:
    """A pipeline's own keys and its tasks by id; keys that have their default are left out.

    `environments` has the whole pipeline again for each environment that overlays it. A task's `needs` are, whatever
    was written, the ids of the tasks that it waits for without taking a file of theirs.
    """

    dag: Mapping[str, Any]
    tasks: Mapping[str, Mapping[str, Any]]
    environments: Mapping[str, "Resolved"] = field(default_factory=dict)

    def within(self, environment: str | None) -> "Resolved":
        """The pipeline as it is in `environment`, which may have values of its own."""
        return self.environments.get(environment or "", self)

    def to_json(self) -> bytes:
        """The canonical bytes: pipelines that mean the same have equal bytes."""
        content: dict[str, Any] = {"format": 1, "dag": self.dag, "tasks": self.tasks}
        if self.environments:
            content["environments"] = {
                name: {"dag": variant.dag, "tasks": variant.tasks} for name, variant in self.environments.items()
            }
        return f"{_json(content)}\n".encode()


def resolved_path(dag_id: str) -> str:
    """Where a release keeps the pipeline."""
    return f"{FOLDER}{dag_id}.json"


def resolved_json(pipeline: Pipeline) -> bytes:
    """The canonical bytes: pipelines that mean the same have equal bytes."""
    return resolved(pipeline).to_json()


def resolved(pipeline: Pipeline) -> Resolved:
    """The pipeline as it will be read from a release."""
    follows = pipeline.upstream()
    tasks = {task_id: _task(task, follows[task_id]) for task_id, task in pipeline.task_ids.items()}
    variants = {name: resolved(variant) for name, variant in pipeline.variants.items()}
    return Resolved(_plain(_dag(pipeline.dag)), _plain(tasks), variants)


def _dag(dag: Dag) -> dict[str, Any]:
    written = dag.model_dump(exclude_defaults=True)
    written |= {"name": dag.name, "timezone": dag.timezone, "start_date": dag.start_date}
    written.setdefault("schedule", None)
    for name, parameter in dag.params.items():
        if parameter.has_default:  # null, which lets it be left empty, is not the same as none
            written["params"][name].setdefault("default", None)
    return written


def _task(task: Task, follows: set[str]) -> dict[str, Any]:
    written = task.model_dump(exclude_defaults=True, exclude={"needs", "outputs"})
    if task.outputs:
        written["outputs"] = task.filenames
    if task.checks:
        written["checks"] = task.checks
    waits = follows - {reference.rpartition(".")[0] for reference in task.references}
    return written | ({"needs": sorted(waits)} if waits else {})


def _json(value: Any, line: str = "\n") -> str:
    """What `json.dumps(value, sort_keys=True, indent=1)` gives, in a fifth of its time: Python indents in Python only.

    `line` begins a line that is as deep as the value.
    """
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    inner = f"{line} "
    if isinstance(value, dict) and value:
        items = [f"{encode_basestring_ascii(key)}: {_json(item, inner)}" for key, item in sorted(value.items())]
        return f"{{{inner}{f',{inner}'.join(items)}{line}}}"
    if isinstance(value, list) and value:
        return f"[{inner}{f',{inner}'.join(_json(item, inner) for item in value)}{line}]"
    return json.dumps(value)


def _plain(value: Any) -> Any:
    """`value` as JSON has it: durations as people write them, days as 2026-01-31."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value - value != 0:  # JSON has no infinity
        return repr(value)
    return value


def read_resolved(content: bytes, dag_id: str, longest: int | None = MAX_BYTES) -> Resolved:
    """The pipeline in `content`; ValueError says why it cannot be one. Nothing about it is trusted."""
    if longest is not None and len(content) > longest:
        raise ValueError(f"it has {len(content):,} bytes; at most {longest:,} are read")
    try:
        value = json.loads(content, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("its values are nested too deep") from None
    except ValueError as error:
        raise ValueError(f"it is not JSON ({type(error).__name__})") from None
    if longest is not None:
        _check_size(value)
    if not isinstance(value, dict) or value.get("format") != 1:
        raise ValueError("its format is not 1")
    environments = value.get("environments", {})
    if not isinstance(environments, dict) or not all(isinstance(one, dict) for one in environments.values()):
        raise ValueError("its environments are not a mapping of mappings")
    variants = {name: _resolved(one, dag_id, {}) for name, one in environments.items()}
    return _resolved(value, dag_id, variants)


def _resolved(value: dict[str, Any], dag_id: str, environments: Mapping[str, Resolved]) -> Resolved:
    dag, tasks = value.get("dag"), value.get("tasks")
    if not isinstance(dag, dict) or dag.get("name") != dag_id:
        raise ValueError(f"its dag is not {dag_id!r}")
    if not isinstance(tasks, dict) or not all(isinstance(task, dict) for task in tasks.values()):
        raise ValueError("its tasks are not a mapping of mappings")
    return Resolved(dag, tasks, environments)


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _check_size(value: Any) -> None:
    """ValueError where plain data is too deep or has too many values; walks without recursion."""
    waiting, count = [(value, 1)], 0
    while waiting:
        item, depth = waiting.pop()
        count += 1
        if depth > _MAX_DEPTH or count > _MAX_VALUES:
            raise ValueError("its values are too many or nested too deep")
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        waiting.extend((each, depth + 1) for each in inner)
