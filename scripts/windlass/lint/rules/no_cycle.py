"""No task follows itself, directly or by way of others."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from windlass.lint.project import Project
from windlass.spec.problem import Problem

NAME = "no-cycle"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each circle of tasks; it names the tasks in the order in which they would run."""
    for file in project.pipelines:
        if file.pipeline is None:
            continue
        order = list(file.pipeline.task_ids)
        upstream = {task: sorted(above, key=order.index) for task, above in file.pipeline.upstream().items()}
        while (cycle := _cycle(upstream)) is not None:
            start = min(range(len(cycle)), key=lambda i: order.index(cycle[i]))
            tasks = [*cycle[start:], *cycle[:start]]
            way = " -> ".join([*tasks, tasks[0]])
            yield file.document.problem(("tasks", *tasks[0].split(".")), NAME, f"a circle: {way}", at_key=True)
            for task in tasks:
                upstream[task] = []


def _cycle(upstream: dict[str, list[str]]) -> list[str] | None:
    try:
        TopologicalSorter(upstream).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        return cycle[:-1]
    return None
