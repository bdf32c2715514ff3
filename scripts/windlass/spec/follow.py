"""Which tasks each task of a pipeline follows: what its files, its `needs` and the order of the groups say."""

from collections.abc import Iterable, Mapping

from windlass.spec.group import Group
from windlass.spec.task import MODEL_PREFIX, Task

Follows = dict[str, set[str]]


class Tree:
    """The tasks and groups of a pipeline by their names, in the order in which they were written."""

    def __init__(self, groups: Mapping[str, Group]) -> None:
        nodes = {path: node for name, group in groups.items() for path, node in group.walk(name)}
        self.tasks = {path: node for path, node in nodes.items() if isinstance(node, Task)}
        self.groups = {path: node for path, node in nodes.items() if isinstance(node, Group)}
        self.members: dict[str, list[str]] = {path: [] for path in self.groups}
        for task_id in self.tasks:
            for path in parents(task_id):
                if path in self.members:  # a wrong name with a dot in it looks like one more group
                    self.members[path].append(task_id)

    def awaited(self, name: str) -> set[str]:
        """The tasks that who needs `name` waits for: of a group all but its teardowns; none where there is no such."""
        if name in self.tasks:
            return {name}
        members = self.members.get(name, [])
        return {task_id for task_id in members if self.tasks[task_id].teardown is None} or set(members)

    def all_awaited(self, names: Iterable[str]) -> set[str]:
        """The tasks that who needs all of `names` waits for."""
        return {task_id for name in names for task_id in self.awaited(name)}


def parents(path: str) -> list[str]:
    """The groups that a task or group is in, the outermost first: `a.b.c` is in `a` and `a.b`."""
    parts = path.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def follows(tree: Tree) -> Follows:
    """The ids of the tasks that each task follows; names that do not exist are left out."""
    before = _before(tree)
    found = {task_id: _own(tree, task_id, before) for task_id in tree.tasks}
    for path, group in reversed(tree.groups.items()):
        if group.needs:
            _bind(found, tree.members[path], tree.all_awaited(group.needs))
    for task_id, task in tree.tasks.items():
        for target in task.branch.targets if task.branch else []:
            _bind(found, tree.members.get(target, [target]), {task_id})
    return found


def _own(tree: Tree, task_id: str, before: Mapping[str, set[str]]) -> set[str]:
    """What a task says itself; where it says nothing, what the group that it is in follows."""
    task = tree.tasks[task_id]
    sources = {reference.rpartition(".")[0] for reference in task.references} & tree.tasks.keys()
    if not sources and task.needs is None and not task.teardown:
        sources = set(before.get(task_id.rpartition(".")[0], ()))
    return sources | tree.all_awaited(task.needs or []) | tree.all_awaited(task.teardown or [])


def _before(tree: Tree) -> dict[str, set[str]]:
    """What each group follows: what it needs, else the group before it, else what the group around it follows."""
    before: dict[str, set[str]] = {}
    latest: dict[str, str] = {}
    for path, group in tree.groups.items():
        parent = path.rpartition(".")[0]
        if group.needs is not None:
            before[path] = tree.all_awaited(group.needs)
        elif parent in latest:
            before[path] = tree.awaited(latest[parent]) or before[latest[parent]]
        else:
            before[path] = before.get(parent, set())
        latest[parent] = path
    return before


def _bind(found: Follows, members: Iterable[str], needed: set[str]) -> None:
    """Lets the first tasks of a group, those that follow no other task of it, follow `needed` too."""
    inside = set(members) & found.keys()
    for task_id in inside:
        if not found[task_id] & inside:
            found[task_id] |= needed - {task_id}


def models_of(tasks: Mapping[str, Task]) -> list[str]:
    """The names of the models that the tasks take, sorted."""
    references = (value for task in tasks.values() for value in task.inputs.values())
    return sorted({value.removeprefix(MODEL_PREFIX) for value in references if value.startswith(MODEL_PREFIX)})
