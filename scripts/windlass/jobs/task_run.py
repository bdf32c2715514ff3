"""Runs one task of a pipeline outside of Airflow: a job once, for each item or for each part, or a file operator."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from windlass.jobs.file_operators import run_operator
from windlass.jobs.memory import LimitsOf, limits_in
from windlass.jobs.one_job import OneJob, run_one
from windlass.jobs.run_context import RunContext, Templates
from windlass.jobs.run_plan import references_of
from windlass.jobs.values import Value
from windlass.runtime.checked import Checked, checked_names
from windlass.runtime.csv_dialect import dialect_of
from windlass.runtime.csv_text import cut_of
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.item import with_item
from windlass.runtime.item_list import MOST_BYTES, items_in
from windlass.runtime.job import Place
from windlass.runtime.local_parts import LocalFile, merge_here, split_here
from windlass.runtime.output_checks import check_output
from windlass.spec.items import holds_item
from windlass.spec.pipeline import Pipeline
from windlass.spec.port import of_parts, of_whole
from windlass.spec.task import MODEL_PREFIX, Job, Task

LOG = "log.txt"
OneOf = tuple[dict[str, Value], tuple[str, Any] | None]
"""The inputs of one run of a task, and the name and the value of the item that it is for."""


@dataclass
class Surroundings:
    """What all tasks of a run share: how many jobs run at once and where, who listens, and a pipe that says stop."""

    pipeline: Pipeline
    run: RunContext
    at_once: int
    see: Callable[[str, str], None]
    stop: int | None = None
    stop_writer: int | None = None
    keep: bool = False
    place_of: Callable[[Job], Place | None] = lambda _: None
    limits_of: LimitsOf = field(default_factory=lambda: limits_in(None))
    slots: threading.Semaphore = field(init=False)
    stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.slots = threading.BoundedSemaphore(self.at_once)


@dataclass
class Done:
    """What a task left: its outputs by port, and the most memory that one of its processes had, in bytes."""

    outputs: dict[str, Value] = field(default_factory=dict)
    peak: int | None = None
    times: int = 1


class Nothing(Exception):
    """There is no item to run for: the task is skipped."""


@dataclass(frozen=True)
class TaskRun:
    """A task with what it takes, by reference: outputs of other tasks and models."""

    task_id: str
    around: Surroundings
    values: Mapping[str, Value]

    @property
    def task(self) -> Task:
        """The task as the pipeline has it."""
        return self.around.pipeline.task_ids[self.task_id]

    @property
    def folder(self) -> Path:
        """Where its outputs and its log lie."""
        return self.around.run.folder / self.task_id

    def go(self) -> Done:
        """Runs it; RuntimeStop or ValueError when it does not end well, Nothing when there is nothing to run for."""
        self.folder.mkdir(parents=True, exist_ok=True)
        inputs = {port: self.values[ref] for port, ref in self.task.inputs.items() if ref in self.values}
        if self.task.split:
            return self._split(inputs)
        if self.task.for_each:
            return self._for_each(inputs)
        return self._once(inputs, self.folder, -1, None)

    def _once(self, inputs: Mapping[str, Value], folder: Path, index: int, item: tuple[str, Any] | None) -> Done:
        """One run; `item` is the name and the value of the item that it is for."""
        task, outputs = self.task, self._names_of_outputs()
        where = self.task_id if index < 0 else f"{self.task_id}[{index}]"
        folder.mkdir(parents=True, exist_ok=True)
        if task.job is None:
            templates = Templates(self.around.run, self.task_id, index)
            arguments = with_item(task.arguments, *item) if item else task.arguments
            filled = {name: templates.text(name, value) for name, value in arguments.items()}
            with self.around.slots:
                self._check_goes_on()
                name = task.operator_type or ""
                done = Done(run_operator(name, filled, inputs, outputs, folder, self.around.run))
            self._check(done.outputs, self.task.checks)
            return done
        parameters = {item[0]: item[1]} if item and item[0] not in inputs and self._in_script(item[0]) else {}
        if any(isinstance(value, Mapping) for value in parameters.values()):
            raise RuntimeStop(f"{{{item and item[0]}}} is a file here; take it as an input, like data: '{{item}}'")
        one = OneJob(
            task.job,
            self.task_id,
            inputs,
            outputs,
            folder,
            self.around.run,
            parameters,
            self._names(inputs),
            index,
        )
        with self.around.slots, (folder / LOG).open("w", encoding="utf-8", errors="replace") as log:
            self._check_goes_on()

            def see(line: str) -> None:
                log.write(f"{line}\n")
                log.flush()
                self.around.see(where, line)

            place, limits = self.around.place_of(task.job), self.around.limits_of(self.around.pipeline, task.job)
            finished = run_one(one, see, self.around.stop, keep=self.around.keep, place=place, limits=limits)
        return Done({port: folder / name for port, name in outputs.items()}, finished.peak)

    def _names_of_outputs(self) -> dict[str, str]:
        """The names of the files that one run leaves, with what must be true of them."""
        checks = self.task.checks
        return checked_names(
            self.task.filenames,
            {port: of_parts(checks[port]) if self.task.split else checks[port] for port in checks},
        )

    def _check(self, outputs: Mapping[str, Value], checks: Mapping[str, Mapping[str, Any]]) -> None:
        """RuntimeStop where a file is not as it must be; jobs do so themselves."""
        for port, said in checks.items():
            if not said:
                continue
            name, value = Checked(self.task.filenames[port], **said), outputs[port]
            sources = [LocalFile(path) for path in (value if isinstance(value, list) else [value])]
            rows = check_output(port, name, sources, self.folder)
            self.around.see(self.task_id, f"output {port}: {rows} rows are as they must be")

    def _check_goes_on(self) -> None:
        if self.around.stopped.is_set():
            raise RuntimeStop("was not begun: the run was stopped")

    def _in_script(self, item: str) -> bool:
        return self.task.job is not None and holds_item(self.task.job.execution_script, item)

    def _names(self, inputs: Mapping[str, Value]) -> dict[str, str]:
        """The file names that inputs have in Airflow: those of the outputs that they are."""
        tasks, found = self.around.pipeline.task_ids, {}
        for port, reference in self.task.inputs.items():
            source, _, output = reference.rpartition(".")
            if port in inputs and source in tasks and isinstance(inputs[port], Path):
                found[port] = tasks[source].filenames[output]
        if self.task.split:  # a part has its own name
            found.pop(self.task.split.input, None)
        return found

    def _split(self, inputs: dict[str, Value]) -> Done:
        split = self.task.split
        assert split is not None
        whole = inputs[split.input]
        if isinstance(whole, list):
            raise RuntimeStop(f"input {split.input!r} is several files already; split takes one")
        source, _, output = self.task.inputs[split.input].rpartition(".")
        name = self.around.pipeline.task_ids[source].filenames[output]
        cut = cut_of("split", split.rows, split.size, split.parts)
        dialect = dialect_of(split.delimiter, split.quote, split.escape)
        parts = split_here(LocalFile(whole), cut, self.folder / "parts", name, dialect, force=True)
        self.around.see(self.task_id, f"{whole.name} is cut into {len(parts)} parts")
        runs: list[OneOf] = [({**inputs, split.input: part}, None) for part in parts]
        done = self._each(runs, split.at_once)
        for port, files in done.outputs.items():
            assert isinstance(files, list)
            target = self.folder / self.task.filenames[port]
            merge_here([LocalFile(path) for path in files], target, dialect_of(), force=True)
            self._check({port: target}, {port: of_whole(self.task.checks.get(port, {}))})
            done.outputs[port] = target
        return done

    def _for_each(self, inputs: dict[str, Value]) -> Done:
        each = self.task.for_each
        assert each is not None
        runs: list[OneOf] = []
        for value in self._items(each.item, each.items):
            own = {
                port: value if isinstance(value, Path) else self._file_of_item(port)
                for port, written in self.task.inputs.items()
                if written == f"{{{each.item}}}"
            }
            shown = {"name": value.name} if isinstance(value, Path) else value
            runs.append(({**inputs, **own}, (each.item, shown)))
        if not runs:
            raise Nothing
        return self._each(runs, each.at_once)

    def _file_of_item(self, port: str) -> Path:
        raise RuntimeStop(f"input {port!r} is an item that is no file")

    def _items(self, name: str, items: list[Any] | str) -> list[Any]:
        if isinstance(items, list):
            return items
        value = self.values[items]
        if isinstance(value, list):
            return list(value)
        if value.suffix != ".json" or value.stat().st_size > MOST_BYTES:
            raise RuntimeStop(f"for_each {name!r}: {value.name!r} must be several files, or a .json file with a list")
        return items_in(name, value.read_bytes())

    def _each(self, runs: list[OneOf], at_once: int | None) -> Done:
        """Runs it for each, several at once; all are waited for, and the first that did not end well is told."""
        ended, lock = 0, threading.Lock()

        def one(index: int) -> Done:
            nonlocal ended
            inputs, item = runs[index]
            done = self._once(inputs, self.folder / str(index), index, item)
            with lock:
                ended += 1
                self.around.see(self.task_id, f"{ended} of {len(runs)} done")
            return done

        with ThreadPoolExecutor(min(at_once or self.around.at_once, self.around.at_once, len(runs))) as pool:
            begun = [pool.submit(one, index) for index in range(len(runs))]
        troubles = [(index, error) for index, each in enumerate(begun) if (error := each.exception())]
        if troubles:
            index, first = troubles[0]
            more = f"; {len(troubles) - 1} more of {len(runs)} did not end well" if len(troubles) > 1 else ""
            if isinstance(first, (RuntimeStop, ValueError, OSError)):
                raise RuntimeStop(f"[{index}]: {first}{more}") from first
            raise first
        done = [each.result() for each in begun]
        outputs: dict[str, Value] = {}
        for port in self.task.outputs:
            outputs[port] = [path for each in done if isinstance(path := each.outputs[port], Path)]
        peaks = [each.peak for each in done if each.peak]
        return Done(outputs, max(peaks, default=None), len(runs))


def values_of(task: Task, values: Mapping[str, Value]) -> dict[str, Value]:
    """Of all that there is, what the task reads."""
    wanted = {reference for _, reference in references_of(task)}
    wanted |= {value for value in task.inputs.values() if value.startswith(MODEL_PREFIX)}
    return {reference: values[reference] for reference in wanted if reference in values}
