"""What a run outside of Airflow does: which tasks run, which files it needs from outside, and what is left out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from windlass.jobs.names import ending_with
from windlass.jobs.values import Value
from windlass.spec.errors import WindlassError
from windlass.spec.pipeline import Pipeline
from windlass.spec.problem import near
from windlass.spec.task import MODEL_PREFIX, Task

FILE_OPERATORS = ("convert", "split_csv", "split_file", "merge_csv", "merge_files", "check_data", "deliver")
"""The operators that need nothing but files."""


@dataclass(frozen=True)
class Need:
    """A file, or a model, that comes from outside; `reference` is as the pipeline has it, `takers` are `task: port`."""

    reference: str
    filename: str | None
    made_by: str
    takers: tuple[tuple[str, str], ...]

    @property
    def model(self) -> str | None:
        """The model's name, if it is one."""
        return self.reference.removeprefix(MODEL_PREFIX) if self.reference.startswith(MODEL_PREFIX) else None

    @property
    def ports(self) -> set[str]:
        """What those who take it call it."""
        return {port for _, port in self.takers}


@dataclass(frozen=True)
class RunPlan:
    """`tasks` run; `given` are replaced by files from outside; `absent` need a service and leave no file that is asked.

    `values` has what is known of each need by its reference, `missing` are the others. A single task is `alone`.
    """

    pipeline: Pipeline
    tasks: tuple[str, ...]
    given: tuple[str, ...]
    absent: tuple[str, ...]
    values: Mapping[str, Value]
    missing: tuple[Need, ...]
    alone: bool


def plan_run(
    pipeline: Pipeline, task_id: str | None, inputs: Sequence[tuple[str, Path]], own: Iterable[str] = ()
) -> RunPlan:
    """The plan for one task or the whole pipeline; `own` are operators that hide standard ones. Reads no content."""
    here = {name for name, task in pipeline.task_ids.items() if runs_here(task, own)}
    if task_id is not None and task_id not in here:
        why = pipeline.task_ids[task_id].operator_type
        raise WindlassError(f"task {task_id!r} ({why}) needs an Airflow or a service and cannot run here")
    candidates = set(pipeline.task_ids) if task_id is None else {task_id}
    values = _given(inputs, needs_of(pipeline, candidates))
    replaced = _replaced(pipeline, candidates, here, values) if task_id is None else set()
    runs = tuple(name for name in pipeline.task_ids if name in candidates & here - replaced)
    needs = [need for need in needs_of(pipeline, set(runs)) if need.made_by not in runs]
    missing = tuple(need for need in needs if need.reference not in values)
    sources = {need.made_by for need in needs} | replaced
    others = [name for name in pipeline.task_ids if name in candidates and name not in runs]
    given = tuple(name for name in others if name in sources)
    absent = tuple(name for name in others if name not in sources)
    return RunPlan(pipeline, runs, given, absent, values, missing, task_id is not None)


def runs_here(task: Task, own: Iterable[str] = ()) -> bool:
    """Whether it needs nothing but files; approvals are passed."""
    return task.operator_type is None or (task.operator_type in FILE_OPERATORS and task.operator_type not in own)


def references_of(task: Task, *, alone: bool = False) -> list[tuple[str, str]]:
    """What the task reads, by `(name, reference)`; conditions are not asked when it runs alone."""
    found = [(port, value) for port, value in task.inputs.items() if not value.startswith("{")]
    if task.for_each and isinstance(task.for_each.items, str):
        found.append((task.for_each.item, task.for_each.items))
    inputs = {reference for _, reference in found}
    if not alone:
        found += [(key, reference) for key in ("only_if", "skip_if") if (reference := getattr(task, key))]
        found += [("by", task.branch.by)] if task.branch else []
    known = {*task.references, *(value for value in inputs if value.startswith(MODEL_PREFIX))}
    return [(name, reference) for name, reference in found if reference in known]


def needs_of(pipeline: Pipeline, tasks: set[str]) -> list[Need]:
    """All that these tasks read, whoever makes it."""
    takers: dict[str, list[tuple[str, str]]] = {}
    for task_id, task in pipeline.task_ids.items():
        if task_id in tasks:
            for name, reference in references_of(task, alone=len(tasks) == 1):
                takers.setdefault(reference, []).append((task_id, name))
    found = []
    for reference, taken in takers.items():
        source, _, port = reference.rpartition(".")
        is_model = reference.startswith(MODEL_PREFIX)
        filename = None if is_model else pipeline.task_ids[source].filenames[port]
        found.append(Need(reference, filename, "" if is_model else source, tuple(taken)))
    return found


def asked(need: Need, *, alone: bool) -> str:
    """The option with which it is given."""
    return f"--input {next(iter(need.ports)) if alone and len(need.ports) == 1 else need.reference}=PATH"


def missing_text(plan: RunPlan) -> str:
    """What is missing, with the line to add for each."""
    lines = []
    for need in plan.missing:
        what = f"model {need.model}, a folder" if need.model else f"{need.filename}, made by {need.made_by}"
        lines.append(f"  {asked(need, alone=plan.alone)}   # {what}; for {', '.join(task for task, _ in need.takers)}")
    return "these inputs come from elsewhere and are missing; add:\n" + "\n".join(lines)


def _given(inputs: Sequence[tuple[str, Path]], needs: list[Need]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for word, path in inputs:
        need = _meant(word, needs)
        if need.reference in values:
            raise WindlassError(f"--input {word}: {need.reference} is given twice")
        values[need.reference] = _value(word, path, need)
    return values


def _meant(word: str, needs: list[Need]) -> Need:
    """The need that a person means: by its reference or its end, by the port that takes it, or by the model's name."""
    by_reference = {need.reference: need for need in needs}
    found = ending_with(word, by_reference) or [
        need.reference
        for need in needs
        if word in need.ports or word == need.model or any(word == f"{task}.{port}" for task, port in need.takers)
    ]
    if len(found) == 1:
        return by_reference[found[0]]
    if found:
        raise WindlassError(f"--input {word}: this may be {' or '.join(found)}; give the whole name")
    words = {*by_reference, *(port for need in needs for port in need.ports)}
    raise WindlassError(f"--input {word}: nothing that runs takes an input of that name{near(word, words)}")


def _value(word: str, path: Path, need: Need) -> Value:
    if not path.exists():
        raise WindlassError(f"--input {word}: there is no file {str(path)!r}")
    if need.model:
        if not path.is_dir():
            raise WindlassError(f"--input {word}: model {need.model} is a folder with its files, and {path} is a file")
        return path
    assert need.filename is not None
    if path.is_dir():
        found = sorted(each for each in path.iterdir() if each.is_file())
        if not found:
            raise WindlassError(f"--input {word}: there is no file in {path}")
        return found
    if not path.is_file():  # a device may never end
        raise WindlassError(f"--input {word}: {str(path)!r} is neither a file nor a folder; write what is in it to one")
    ending = "".join(Path(need.filename).suffixes[-2:]) if need.filename.endswith((".gz", ".zst")) else ""
    ending = ending or Path(need.filename).suffix
    if not path.name.endswith(ending):
        raise WindlassError(f"--input {word}: {path.name!r} does not end with {ending}, as {need.filename!r} does")
    return path


def _replaced(pipeline: Pipeline, candidates: set[str], here: set[str], values: Mapping[str, Value]) -> set[str]:
    """Tasks that need not run: all that is taken of them is given, or taken only by tasks that need not run."""
    needs = needs_of(pipeline, candidates)
    replaced: set[str] = set()
    while True:
        more = {
            name
            for name in (candidates & here) - replaced
            if (own := [need for need in needs if need.made_by == name])
            and any(need.reference in values or replaced & {task for task, _ in need.takers} for need in own)
            and all(need.reference in values or {task for task, _ in need.takers} <= replaced for need in own)
        }
        if not more:
            return replaced
        replaced |= more
