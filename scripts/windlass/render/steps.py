"""From a task of the language to the tasks of the DAG: most are one, mapped and split ones are several."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from windlass.render.literal import Call, Reference
from windlass.render.names import variables
from windlass.render.surroundings import Surroundings
from windlass.render.task import arguments, class_of, merger, of_each_run, of_first_run, splitter
from windlass.runtime.item import with_item
from windlass.spec.follow import Follows, parents
from windlass.spec.items import holds_item
from windlass.spec.pipeline import Pipeline
from windlass.spec.port import of_parts, of_whole
from windlass.spec.task import MEASURES, MODEL_PREFIX, Split, Task, is_reference


@dataclass(frozen=True)
class Steps:
    """The tasks of the DAG by their ids; `first` and `last` say with which a task of the language begins and ends.

    `owners` says to which task of the language each belongs.
    """

    calls: dict[str, Call]
    names: dict[str, str]
    first: dict[str, str] = field(default_factory=dict)
    last: dict[str, list[str]] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)


def steps(pipeline: Pipeline, surroundings: Surroundings, usual: Pipeline | None = None) -> Steps:
    """All tasks of the DAG, in the order in which the pipeline's were written; `usual` is what it is a variant of."""
    usual = usual or pipeline
    mapped = {task_id: _mapped(usual, task_id) for task_id in pipeline.task_ids}
    made = {task_id: _ids(task_id, task, mapped[task_id]) for task_id, task in pipeline.task_ids.items()}
    found = Steps({}, variables(pipeline, [step for ids in made.values() for step in ids]))
    follows = pipeline.upstream()
    for task_id, ids in made.items():
        found.first[task_id] = ids[0]
        found.owners.update(dict.fromkeys(ids, task_id))
        merges = [step for step in ids if "__merge_" in step]
        found.last[task_id] = merges or [task_id]
    for task_id, task in pipeline.task_ids.items():
        found.calls.update(_Maker(pipeline, surroundings, found, follows, mapped).calls(task_id, task))
    return found


def _mapped(usual: Pipeline, task_id: str) -> list[str]:
    """The arguments that hold the item of `for_each` in any environment: in each the DAG has the same tasks."""
    found: dict[str, None] = {}
    for pipeline in (usual, *usual.variants.values()):
        task = pipeline.task_ids[task_id]
        if task.for_each:
            script = {"parameters": task.job.execution_script} if task.job else {}
            values = {**script, **task.arguments, "inputs": dict(task.inputs)}
            found |= {name: None for name, value in values.items() if holds_item(value, task.for_each.item)}
    return list(found)


def _ids(task_id: str, task: Task, mapped: list[str]) -> list[str]:
    if task.split:
        merges = [f"{task_id}__merge_{port}" for port in task.outputs]
        return [f"{task_id}__split", f"{task_id}__each", task_id, *merges]
    return [f"{task_id}__each", task_id] if task.for_each and fills(task, mapped) else [task_id]


def fills(task: Task, mapped: list[str]) -> bool:
    """Whether a task before it fills in the items: those of a port, and more than one argument.

    Airflow's `expand_kwargs`, which several arguments need, does not fill templates into values that are literals.
    """
    return task.for_each is not None and (isinstance(task.for_each.items, str) or len(mapped) > 1)


@dataclass(frozen=True)
class _Maker:
    pipeline: Pipeline
    surroundings: Surroundings
    steps: Steps
    follows: Follows
    mapped: Mapping[str, list[str]]

    def calls(self, task_id: str, task: Task) -> Iterator[tuple[str, Call]]:
        """The calls that make the DAG's tasks for one of the pipeline."""
        if task.split:
            yield from self._split(task_id, task, task.split)
        elif task.for_each:
            yield from self._for_each(task_id, task)
        else:
            keywords = self._own(task) | self._ports(task) | self._first(task) | self._each(task)
            yield task_id, self._call(task_id, class_of(task, self.surroundings.catalog), keywords)

    def _split(self, task_id: str, task: Task, split: Split) -> Iterator[tuple[str, Call]]:
        ports, item = self._ports(task), split.input
        cutter, name = splitter(self.pipeline, task.inputs[item])
        given = (*MEASURES, "delimiter", "quote", "escape")
        measure = {key: value for key in given if (value := getattr(split, key)) is not None}
        cut = {**measure, "inputs": {"data": ports["inputs"][item]}, "outputs": {"parts": name or f"{item}.csv"}}
        yield f"{task_id}__split", self._call(f"{task_id}__split", cutter, cut | self._first(task))
        mapped = {"inputs": ports.pop("inputs") | {item: f"{{{item}}}"}}
        listed = Reference(self.steps.names[f"{task_id}__split"], "parts")
        fixed = self._own(task) | ports | self._each(task)
        yield from self._over(task_id, task, item, listed, (fixed, mapped), split.at_once)
        for port, made in _names(task, of_whole).items():
            step, output = f"{task_id}__merge_{port}", Reference(self.steps.names[task_id], port)
            keywords = {"inputs": {"parts": output}, "outputs": {"data": made}}
            yield step, self._call(step, merger(task.filenames[port]), keywords)

    def _for_each(self, task_id: str, task: Task) -> Iterator[tuple[str, Call]]:
        assert task.for_each is not None
        item, items = task.for_each.item, task.for_each.items
        names = self.mapped[task_id]
        keywords = self._own(task) | self._ports(task)
        if "parameters" in names and task.job:
            keywords["parameters"] = {item: f"{{{item}}}"}
        fixed = {name: value for name, value in keywords.items() if name not in names} | self._each(task)
        mapped = {name: keywords[name] for name in names}
        if fills(task, names):
            listed = self.output(items) if isinstance(items, str) else items
            yield from self._over(task_id, task, item, listed, (fixed, mapped), task.for_each.at_once, first=True)
            return
        values = {name: [with_item(value, item, each) for each in items] for name, value in mapped.items()}
        method = Call("expand", keywords=values)
        yield task_id, self._partial(task_id, task, fixed | self._first(task), method, task.for_each.at_once)

    def _over(
        self,
        task_id: str,
        task: Task,
        item: str,
        items: Any,
        keywords: tuple[dict[str, Any], dict[str, Any]],
        at_once: int | None,
        *,
        first: bool = False,
    ) -> Iterator[tuple[str, Call]]:
        """A task that fills the items into `mapped` arguments, and the task that runs once for each of them."""
        (fixed, mapped), step = keywords, f"{task_id}__each"
        filling = {"item": item, "items": items, "arguments": mapped} | (self._first(task) if first else {})
        yield step, self._call(step, "ForEach", filling)
        method = Call("expand_kwargs", [Reference(self.steps.names[step], "")])
        yield task_id, self._partial(task_id, task, fixed, method, at_once)

    def _partial(self, task_id: str, task: Task, fixed: dict[str, Any], method: Call, at_once: int | None) -> Call:
        limit = {"max_active_tis_per_dagrun": at_once} if at_once else {}
        call = self._call(task_id, class_of(task, self.surroundings.catalog), fixed | limit)
        return Call(f"{call.function}.partial", keywords=call.keywords, then=method)

    def _call(self, step: str, function: str, keywords: Mapping[str, Any]) -> Call:
        return Call(function, keywords={"task_id": step.rpartition(".")[2], **keywords})

    def _own(self, task: Task) -> dict[str, Any]:
        return arguments(task, self.pipeline.dag, self.surroundings) | self._branch(task)

    def _branch(self, task: Task) -> dict[str, Any]:
        if task.branch is None:
            return {}
        by = task.branch.by
        keywords: dict[str, Any] = {"by": self.output(by) if is_reference(by) else by}
        keywords["cases"] = {word: self._entries(targets) for word, targets in task.branch.cases.items()}
        return keywords | ({"default": self._entries(task.branch.default)} if task.branch.default else {})

    def _entries(self, targets: list[str]) -> list[str]:
        """The DAG's tasks with which the tasks and groups begin."""
        entries: list[str] = []
        for target in targets:
            members = self.pipeline.tree.members.get(target, [target])
            entries += [self.steps.first[task_id] for task_id in members if not self.follows[task_id] & set(members)]
        return list(dict.fromkeys(entries))

    def _ports(self, task: Task) -> dict[str, Any]:
        ports: dict[str, Any] = {}
        if task.inputs:
            ports["inputs"] = {port: self._input(task, written) for port, written in task.inputs.items()}
        if task.outputs:
            ports["outputs"] = _names(task, of_parts if task.split else dict)
        return ports

    def _input(self, task: Task, written: str) -> Reference | str:
        if written.startswith(MODEL_PREFIX):
            version = self.surroundings.pins.get(written.removeprefix(MODEL_PREFIX))
            return f"{written}@{version}" if version else written
        return written if task.for_each and written == f"{{{task.for_each.item}}}" else self.output(written)

    def output(self, reference: str) -> Reference:
        """The variable and the key under which an output is found."""
        task_id, _, port = reference.rpartition(".")
        if self.pipeline.task_ids[task_id].split:
            return Reference(self.steps.names[f"{task_id}__merge_{port}"], "data")
        return Reference(self.steps.names[task_id], port)

    def _first(self, task: Task) -> dict[str, Any]:
        keywords = of_first_run(task)
        for key in ("only_if", "skip_if"):
            condition = getattr(task, key)
            if condition and is_reference(condition):
                task_id, _, port = condition.rpartition(".")
                split = self.pipeline.task_ids[task_id].split
                where = (f"{task_id}__merge_{port}", "data") if split else (task_id, port)
                keywords["pre_execute"] = Call(key, keywords={"task": where[0], "port": where[1]})
            elif condition:
                keywords["pre_execute"] = Call(key, [condition])
        return keywords

    def _each(self, task: Task) -> dict[str, Any]:
        return of_each_run(task, self.pipeline.dag, self.surroundings)


def _names(task: Task, chosen: Callable[[Mapping[str, Any]], dict[str, Any]]) -> dict[str, str | Call]:
    """The file names of the outputs by port, with those of the checks that are `chosen` for where they are given."""
    found = {port: chosen(task.checks.get(port, {})) for port in task.outputs}
    return {
        port: Call("Checked", [name], found[port]) if found[port] else name for port, name in task.filenames.items()
    }


def group_of(step: str) -> str:
    """The group that a task of the DAG is in."""
    return parents(step)[-1]
