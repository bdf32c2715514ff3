"""Decides what the rendered module says: its imports, names, tasks and orders, as plain data for the templates."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Any

from windlass.catalog.annotation import takes_duration
from windlass.catalog.operator import Catalog, Operator
from windlass.catalog.read import JOB
from windlass.render.literal import WIDTH, Call, Reference, literal
from windlass.spec.duration import parse_duration
from windlass.spec.pipeline import MODEL_PREFIX, Dag, Pipeline, Task


@dataclass(frozen=True)
class Block:
    """Tasks inside one `with`: a new group, or one that was begun before and is entered again by its variable."""

    opening: Call | Reference
    variable: str | None
    tasks: list[tuple[str, Call]]


@dataclass(frozen=True)
class Order:
    """Tasks that follow each other: steps with `>>` between them, or a call where those would not do."""

    steps: list[Any] | None = None
    call: Call | None = None


@dataclass(frozen=True)
class Module:
    """A rendered DAG, before it is text."""

    docstring: list[str]
    imports: list[list[tuple[str, str]]]
    dag: Call
    blocks: list[Block]
    orders: list[Order]


def module(pipeline: Pipeline, path: str, project: str, catalog: Catalog, pins: Mapping[str, str]) -> Module:
    """What the module for `pipeline` says; `path` is where its YAML is."""
    names = _variables(pipeline)
    calls = {
        task_id: _task(task_id, task, pipeline.dag, catalog.operators.get(task.operator_type or ""), names, pins)
        for task_id, task in pipeline.task_ids.items()
    }
    orders = list(_orders(pipeline, names))
    return Module(
        docstring=_docstring(pipeline.dag.description, path),
        imports=_imports(pipeline, project, calls, orders),
        dag=_dag(pipeline.dag),
        blocks=list(_blocks(pipeline, names, calls)),
        orders=orders,
    )


def _docstring(description: str, path: str) -> list[str]:
    sentence = description.strip()
    if sentence and sentence[-1] not in ".!?":
        sentence += "."
    note = f"Rendered by windlass from {path}; change it there."
    return [sentence, note] if sentence else [note]


def _dag(dag: Dag) -> Call:
    keywords: dict[str, Any] = {"dag_id": dag.name}
    if dag.description:
        keywords["description"] = dag.description
    day, zone = dag.start_date, Call("ZoneInfo", [dag.timezone])
    keywords |= {
        "schedule": dag.schedule,
        "start_date": Call("datetime", [day.year, day.month, day.day], {"tzinfo": zone}),
        "catchup": False,
        "default_args": {"owner": dag.owner, "retries": dag.retries},
    }
    if dag.tags:
        keywords["tags"] = dag.tags
    return Call("DAG", keywords=keywords, exploded=True)


def _task(
    task_id: str, task: Task, dag: Dag, operator: Operator | None, names: Mapping[str, str], pins: Mapping[str, str]
) -> Call:
    keywords: dict[str, Any] = {"task_id": task_id.partition(".")[2]}
    if task.job is not None:
        keywords |= {
            "execution_script": task.job.execution_script,
            "docker_image": task.job.docker_image,
            "resource_flavor": task.job.resource_flavor or dag.base_resource,
            "execution_time": task.job.execution_time,
        }
    for name, value in task.arguments.items():
        argument = operator.arguments.get(name) if operator else None
        is_duration = argument is not None and takes_duration(argument.annotation) and isinstance(value, str)
        keywords[name] = parse_duration(value) if is_duration else value
    if task.inputs:
        keywords["inputs"] = {port: _input(reference, names, pins) for port, reference in task.inputs.items()}
    if task.outputs:
        keywords["outputs"] = task.outputs
    return Call(operator.class_name if operator else "JobOperator", keywords=keywords)


def _input(reference: str, names: Mapping[str, str], pins: Mapping[str, str]) -> Reference | str:
    if reference.startswith(MODEL_PREFIX):
        version = pins.get(reference.removeprefix(MODEL_PREFIX))
        return f"{reference}@{version}" if version else reference
    task_id, _, port = reference.rpartition(".")
    return Reference(names[task_id], port)


def _variables(pipeline: Pipeline) -> dict[str, str]:
    """A variable for each task (`group.task`) and group: `group_task` and `group`, made different where they clash."""
    names: dict[str, str] = {}
    for thing in (*pipeline.task_ids, *pipeline.tasks):
        wanted = thing.replace(".", "_") if "." in thing else f"{thing}_group"
        count, name = 1, wanted
        while name in names.values():
            count += 1
            name = f"{wanted}_{count}"
        names[thing] = name
    return names


def _blocks(pipeline: Pipeline, names: Mapping[str, str], calls: Mapping[str, Call]) -> Iterator[Block]:
    runs = [
        (group, list(tasks)) for group, tasks in groupby(_defined_first(pipeline), lambda name: name.partition(".")[0])
    ]
    groups = [group for group, _ in runs]
    for i, (group, tasks) in enumerate(runs):
        opening: Call | Reference = Call("TaskGroup", keywords={"group_id": group})
        if group in groups[:i]:
            opening = Reference(names[group])
        is_entered_again = group in groups[i + 1 :] and isinstance(opening, Call)
        yield Block(opening, names[group] if is_entered_again else None, [(names[task], calls[task]) for task in tasks])


def _defined_first(pipeline: Pipeline) -> Iterator[str]:
    """The tasks as written, but each after those whose outputs it takes: a variable is assigned before it is used."""
    ids = list(pipeline.task_ids)
    index = {task_id: i for i, task_id in enumerate(ids)}
    waiting = {task_id: _sources(pipeline, task_id) for task_id in ids}
    users: dict[str, list[str]] = {}
    for task_id, sources in waiting.items():
        for source in sources:
            users.setdefault(source, []).append(task_id)
    ready = [index[task_id] for task_id, sources in waiting.items() if not sources]
    heapq.heapify(ready)
    while ready:
        task_id = ids[heapq.heappop(ready)]
        yield task_id
        for user in users.get(task_id, []):
            waiting[user].discard(task_id)
            if not waiting[user]:
                heapq.heappush(ready, index[user])


def _sources(pipeline: Pipeline, task_id: str) -> set[str]:
    references = pipeline.task_ids[task_id].inputs.values()
    return {reference.rpartition(".")[0] for reference in references if not reference.startswith(MODEL_PREFIX)}


def _orders(pipeline: Pipeline, names: Mapping[str, str]) -> Iterator[Order]:
    """The orders that inputs do not give already; tasks of one group that follow the same tasks share a line."""
    order = list(pipeline.task_ids)
    targets: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for task_id, above in pipeline.upstream().items():
        sources = above - _sources(pipeline, task_id)
        if sources:
            key = (task_id.partition(".")[0], tuple(sorted(sources, key=order.index)))
            targets.setdefault(key, []).append(task_id)
    chains: list[list[Any]] = []
    for (_, sources_of), followers in targets.items():
        first, then = _step(names, sources_of), _step(names, followers)
        if chains and chains[-1][-1] == first and _fits([*chains[-1], then]):
            chains[-1].append(then)
        else:
            chains.append([first, then])
    for chain in chains:
        # Airflow has no `list >> list`, and a line of `>>` cannot be broken without brackets.
        is_many_to_many = isinstance(chain[0], list) and isinstance(chain[1], list)
        if is_many_to_many or not _fits(chain):
            yield Order(call=Call("cross_downstream", [step if isinstance(step, list) else [step] for step in chain]))
        else:
            yield Order(steps=chain)


def _step(names: Mapping[str, str], tasks: Sequence[str]) -> Any:
    references = [Reference(names[task]) for task in tasks]
    return references[0] if len(references) == 1 else references


def _fits(chain: list[Any]) -> bool:
    return 4 + len(" >> ".join(literal(step) for step in chain)) <= WIDTH


def _imports(
    pipeline: Pipeline, project: str, calls: Mapping[str, Call], orders: list[Order]
) -> list[list[tuple[str, str]]]:
    """The imports in their blocks, each a module and its names."""
    has_durations = any(_holds_duration(call) for call in calls.values())
    crosses = any(order.call for order in orders)
    classes = {(task.operator_type or JOB, calls[task_id].function) for task_id, task in pipeline.task_ids.items()}
    return [
        [("datetime", "datetime, timedelta" if has_durations else "datetime"), ("zoneinfo", "ZoneInfo")],
        [
            ("airflow.sdk", "DAG, TaskGroup, cross_downstream" if crosses else "DAG, TaskGroup"),
            *((f"{project}.operators.{module}", name) for module, name in sorted(classes)),
        ],
    ]


def _holds_duration(call: Call) -> bool:
    return any(isinstance(value, timedelta) for value in call.keywords.values())
