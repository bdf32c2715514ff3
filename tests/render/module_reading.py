"""What a rendered module says, read from its syntax tree and not by running it; and what its YAML means."""

import ast
from collections.abc import Iterator
from typing import Any

Follows = dict[str, set[str]]


def edges(source: str) -> Follows:
    """The tasks of the DAG, each with those that it follows directly."""
    reading = _Reading()
    (block,) = [node for node in ast.parse(source).body if isinstance(node, ast.With)]
    for node in block.body:
        reading.read(node, "")
    return reading.found


class _Reading:
    def __init__(self) -> None:
        self.found: Follows = {}
        self.tasks: dict[str, str] = {}
        self.groups: dict[str, str] = {}

    def read(self, node: ast.stmt, group: str) -> None:
        if isinstance(node, ast.With):
            self._block(node, group)
        elif isinstance(node, ast.Assign):
            self._assign(node, group)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            self._call(node.value)
        else:
            assert isinstance(node, ast.Expr) and isinstance(node.value, ast.BinOp), ast.dump(node)
            self._shift(node.value)

    def _block(self, node: ast.With, group: str) -> None:
        call, variable = node.items[0].context_expr, node.items[0].optional_vars
        inside = self.groups[call.id] if isinstance(call, ast.Name) else f"{group}{_keyword(call, 'group_id')}."
        if isinstance(variable, ast.Name):
            self.groups[variable.id] = inside
        for inner in node.body:
            self.read(inner, inside)

    def _assign(self, node: ast.Assign, group: str) -> None:
        calls = [call for call in ast.walk(node.value) if isinstance(call, ast.Call)]
        (name,) = [name for call in calls if (name := _keyword(call, "task_id"))]
        used = {each.id for each in ast.walk(node.value) if isinstance(each, ast.Name)} & self.tasks.keys()
        assert isinstance(node.targets[0], ast.Name) and f"{group}{name}" not in self.found
        self.found[f"{group}{name}"] = {self.tasks[each] for each in used}
        self.tasks[node.targets[0].id] = f"{group}{name}"

    def _call(self, call: ast.Call) -> None:
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            above = [task for word in call.keywords for task in self._tasks(word.value)]
            self.found[self.tasks[call.func.value.id]] |= set(above)
            return
        assert isinstance(call.func, ast.Name) and call.func.id == "cross_downstream" and len(call.args) == 2
        self._follow(self._tasks(call.args[0]), self._tasks(call.args[1]))

    def _shift(self, node: ast.expr) -> list[str]:
        if not isinstance(node, ast.BinOp):
            return self._tasks(node)
        above, below = self._shift(node.left), self._tasks(node.right)
        last = node.left.right if isinstance(node.left, ast.BinOp) else node.left
        assert not (isinstance(last, ast.List) and isinstance(node.right, ast.List)), "Airflow has no list >> list"
        self._follow(above, below)
        return below

    def _follow(self, above: list[str], below: list[str]) -> None:
        for task in below:
            self.found[task] |= set(above)

    def _tasks(self, node: ast.expr) -> list[str]:
        parts = node.elts if isinstance(node, ast.List) else [node]
        return [self.tasks[part.id] for part in parts if isinstance(part, ast.Name)]


def _keyword(call: ast.AST, name: str) -> str:
    values = [word.value for word in call.keywords if word.arg == name] if isinstance(call, ast.Call) else []
    return str(values[0].value) if values and isinstance(values[0], ast.Constant) else ""


def of_the_language(found: Follows) -> Follows:
    """The orders among the pipeline's own tasks; those that windlass adds count as the one that they are added for."""
    own: Follows = {}
    for task, above in found.items():
        name = task.partition("__")[0]
        own.setdefault(name, set()).update({each.partition("__")[0] for each in above} - {name})
    return own


def meant(whole: dict[str, Any]) -> Follows:
    """What docs/language.md says about the order of a pipeline without problems, read from its plain YAML."""
    nodes = dict(_nodes(whole["tasks"], ""))
    tasks = tasks_of(whole)
    groups = [path for path in nodes if path not in tasks]
    inside = {group: [task for task in tasks if task.startswith(f"{group}.")] for group in groups}
    needs = {group: names for group in groups if isinstance(names := nodes[group].get("needs"), list)}

    def wait(name: str) -> set[str]:
        lasting = {task for task in inside.get(name, [name]) if name in tasks or "teardown" not in tasks[task]}
        return lasting or set(inside[name])

    def before(group: str) -> set[str]:
        if group in needs:
            return {task for name in needs[group] for task in wait(name)}
        around = group.rpartition(".")[0]
        earlier = [each for each in groups[: groups.index(group)] if each.rpartition(".")[0] == around]
        return wait(earlier[-1]) if earlier else before(around) if around else set()

    found: Follows = {}
    for name, task in tasks.items():
        taken = [*task.get("inputs", {}).values(), *(task.get(key) for key in ("only_if", "skip_if"))]
        taken += [task.get("branch", {}).get("by"), task.get("for_each", {}).get("in")]
        found[name] = {each.rpartition(".")[0] for each in taken if isinstance(each, str) and "{" not in each}
        if not found[name] and "needs" not in task and not task.get("teardown"):
            found[name] = before(name.rpartition(".")[0])
        found[name] |= {each for need in [*task.get("needs", []), *task.get("teardown", [])] for each in wait(need)}
    bound = [(inside[group], before(group)) for group in reversed(needs)]
    for name, task in tasks.items():
        cases = [*task.get("branch", {}).get("cases", {}).values(), task.get("branch", {}).get("default", [])]
        named = dict.fromkeys(each for case in cases for each in ([case] if isinstance(case, str) else case))
        bound += [(inside.get(target, [target]), {name}) for target in named]
    for members, needed in bound:
        for member in [each for each in members if not found[each] & set(members)]:
            found[member] |= needed - {member}
    return found


_MARKS = {"job": "docker_image", "approval": "subject", "branch": "by"}
"""What a task's kinds hold, and a group that is called like one does not."""


def tasks_of(whole: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each task of a pipeline's plain YAML, by its id."""
    return {path: node for path, node in _nodes(whole["tasks"], "") if _is_task(path, node)}


def _is_task(path: str, node: dict[str, Any]) -> bool:
    kinds = (isinstance(node.get(kind), dict) and isinstance(node[kind].get(key), str) for kind, key in _MARKS.items())
    return "." in path and (isinstance(node.get("operator_type"), str) or any(kinds))


def _nodes(tree: dict[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for key, node in tree.items():
        if isinstance(node, dict):
            yield f"{path}{key}", node
            if not _is_task(f"{path}{key}", node):
                yield from _nodes(node, f"{path}{key}.")
