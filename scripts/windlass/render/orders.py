"""What a rendered module says after its tasks: setups and teardowns, and the orders that inputs do not give already."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from windlass.render.groups import taken
from windlass.render.literal import WIDTH, Call, Reference, literal
from windlass.render.steps import Steps, group_of
from windlass.spec.pipeline import Pipeline


@dataclass(frozen=True)
class Order:
    """Tasks that follow each other: steps with `>>` between them, or a call where those would not do."""

    steps: list[Any] | None = None
    call: Call | None = None


def orders(pipeline: Pipeline, steps: Steps) -> list[Order]:
    """Setups and teardowns first, then the other orders; tasks of one group that follow the same tasks share a line."""
    return [*_setups(pipeline, steps), *_follows(pipeline, steps)]


def _setups(pipeline: Pipeline, steps: Steps) -> Iterator[Order]:
    torn_down = {setup for task in pipeline.task_ids.values() for setup in task.teardown or []}
    for task_id, task in pipeline.task_ids.items():
        if task.setup and task_id not in torn_down:
            yield Order(call=Call(f"{steps.names[task_id]}.as_setup"))
        elif task.teardown is not None:
            setups = [Reference(steps.names[setup]) for setup in task.teardown]
            keywords = {"setups": setups[0] if len(setups) == 1 else setups} if setups else {}
            yield Order(call=Call(f"{steps.names[task_id]}.as_teardown", keywords=keywords))


def _follows(pipeline: Pipeline, steps: Steps) -> Iterator[Order]:
    targets: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    index = {step: i for i, step in enumerate(steps.calls)}
    owners = {steps.names[step]: task_id for step, task_id in steps.owners.items()}
    for task_id, above in pipeline.upstream().items():
        sources = above - _sources(steps, owners, task_id) - set(pipeline.task_ids[task_id].teardown or [])
        if sources:
            last = [step for source in sources for step in steps.last[source]]
            key = (group_of(task_id), tuple(sorted(last, key=index.__getitem__)))
            targets.setdefault(key, []).append(steps.first[task_id])
    chains: list[list[Any]] = []
    for (_, sources_of), followers in targets.items():
        first, then = _step(steps, sources_of), _step(steps, followers)
        if chains and chains[-1][-1] == first and _fits([*chains[-1], then]) and not _has_lists([*chains[-1], then]):
            chains[-1].append(then)
        else:
            chains.append([first, then])
    for chain in chains:
        if _has_lists(chain) or not _fits(chain):  # a line of `>>` cannot be broken without brackets
            yield Order(call=Call("cross_downstream", [step if isinstance(step, list) else [step] for step in chain]))
        else:
            yield Order(steps=chain)


def _sources(steps: Steps, owners: Mapping[str, str], task_id: str) -> set[str]:
    """The pipeline's tasks whose outputs the first task of the DAG for `task_id` takes in its rendered call."""
    return {owners[variable] for variable in taken(steps.calls[steps.first[task_id]])} - {task_id}


def _step(steps: Steps, ids: Sequence[str]) -> Any:
    references = [Reference(steps.names[step]) for step in ids]
    return references[0] if len(references) == 1 else references


def _has_lists(chain: list[Any]) -> bool:
    """Whether a list follows a list: Airflow has no `list >> list`, and `cross_downstream` takes two and no more."""
    return any(isinstance(one, list) and isinstance(other, list) for one, other in pairwise(chain))


def _fits(chain: list[Any]) -> bool:
    return 4 + len(" >> ".join(literal(step) for step in chain)) <= WIDTH
