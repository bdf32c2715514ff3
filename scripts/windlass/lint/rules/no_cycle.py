"""No task follows itself, directly or by way of others."""

from collections.abc import Iterator, Mapping, Sequence

from windlass.lint.project import Project, place
from windlass.spec.problem import Problem

NAME = "no-cycle"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each circle of tasks, as long as they share none; it names them in the order of running."""
    for file in project.pipelines:
        if file.pipeline is None:
            continue
        order = {task: i for i, task in enumerate(file.pipeline.task_ids)}
        upstream = {task: sorted(above, key=order.__getitem__) for task, above in file.pipeline.upstream().items()}
        for circle in _circles(upstream):
            start = min(range(len(circle)), key=lambda i: order[circle[i]])
            tasks = [*circle[start:], *circle[:start]]
            way = " -> ".join([*tasks, tasks[0]])
            yield file.document.problem(place(tasks[0]), NAME, f"a circle: {way}", at_key=True)


def _circles(upstream: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Circles without a common task, found in one walk from each task to those before it."""
    done: set[str] = set()
    for task in upstream:
        way: dict[str, Iterator[str]] = {} if task in done else {task: iter(upstream[task])}
        while way:
            above = next(next(reversed(way.values())), None)
            if above is None:
                done.add(way.popitem()[0])
            elif above in way:
                circle = list(way)[list(way).index(above) :]
                yield circle[::-1]
                done.update(circle)
                for each in circle:
                    del way[each]
            elif above not in done:
                way[above] = iter(upstream[above])
