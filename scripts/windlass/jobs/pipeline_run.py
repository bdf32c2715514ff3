"""Runs a planned pipeline outside of Airflow: tasks follow each other as they do there, independent ones at once."""

import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from queue import Queue

from windlass.jobs.rules import TEARDOWN, Decision, State, decide
from windlass.jobs.run_context import Templates
from windlass.jobs.run_plan import RunPlan
from windlass.jobs.task_run import Done, Nothing, Surroundings, TaskRun, values_of
from windlass.jobs.values import Value
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.one_word import MOST_BYTES, is_yes
from windlass.spec.task import Task, is_reference

_AT_ONCE = 32


@dataclass(frozen=True)
class Outcome:
    """What became of a task; `note` says why where that is not plain, `log` is where its output lies."""

    task: str
    state: State
    note: str = ""
    seconds: float = 0.0
    peak: int | None = None
    times: int = 1
    outputs: Mapping[str, Value] = field(default_factory=dict)
    log: Path | None = None


class Skipped(Exception):
    """A condition of the task says so."""


@dataclass
class PipelineRun:
    """One run; `go` may be called once. `outcomes` are those so far, by task; `on_end` is told each."""

    plan: RunPlan
    around: Surroundings
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    values: dict[str, Value] = field(init=False)
    on_end: Callable[[Outcome], None] = lambda _: None
    _skipped: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.values = dict(self.plan.values)
        for task_id in self.plan.given:
            self.outcomes[task_id] = Outcome(task_id, "success", "given")
        for task_id in self.plan.absent:
            self.outcomes[task_id] = Outcome(task_id, "success", "left out: not on a laptop")

    def go(self) -> None:
        """Runs all tasks; on Ctrl-C those that run are ended first. What became of them is in `outcomes`."""
        waiting, running = list(self.plan.tasks), 0
        ended: Queue[Outcome | BaseException] = Queue()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                while waiting or running:
                    for task_id in self._ready(waiting):
                        waiting.remove(task_id)
                        running += 1
                        pool.submit(self._run, task_id, ended)
                    waiting = [task_id for task_id in waiting if task_id not in self.outcomes]
                    if running:
                        outcome = ended.get()
                        running -= 1
                        if isinstance(outcome, BaseException):
                            raise outcome
                        self._settle(outcome)
            except BaseException:
                self._stop()
                while running:
                    last = ended.get()
                    running -= 1
                    if isinstance(last, Outcome):
                        self._settle(last)
                raise

    def _stop(self) -> None:
        self.around.stopped.set()
        if self.around.stop_writer is not None:
            os.write(self.around.stop_writer, b"x")

    def _settle(self, outcome: Outcome) -> None:
        self.outcomes[outcome.task] = outcome
        self.on_end(outcome)
        for port, value in outcome.outputs.items():
            self.values[f"{outcome.task}.{port}"] = value

    def _ready(self, waiting: list[str]) -> list[str]:
        """The tasks that may begin now; those that never will are settled, until no more follow from that."""
        ready: list[str] = []
        undecided, changed = list(waiting), True
        while changed:
            changed = False
            for task_id in list(undecided):
                decision = self._decide(task_id)
                if decision == "wait":
                    continue
                undecided.remove(task_id)
                if decision == "run":
                    ready.append(task_id)
                else:
                    self._settle(Outcome(task_id, decision))
                    changed = True
        return ready

    def _decide(self, task_id: str) -> Decision:
        if self.plan.alone:
            return "run"
        if task_id in self._skipped:
            return "skipped"
        task = self._task(task_id)
        above = self.plan.pipeline.upstream()[task_id]
        states = {name: self.outcomes[name].state if name in self.outcomes else None for name in above}
        rule = TEARDOWN if task.teardown is not None else task.trigger_rule or "all_success"
        return decide(rule, states, task.teardown or ())

    def _task(self, task_id: str) -> Task:
        return self.plan.pipeline.task_ids[task_id]

    def _run(self, task_id: str, ended: "Queue[Outcome | BaseException]") -> None:
        begin, log = time.monotonic(), self.around.run.folder / task_id / "log.txt"
        state: State = "success"
        note, done = "", Done()
        try:
            done = self._perform(task_id)
        except (Skipped, Nothing) as why:
            state, note = "skipped", str(why) or "there is no item"
        except (RuntimeStop, ValueError, OSError) as error:
            state, note = "failed", str(error)
        except BaseException as bug:  # noqa: BLE001 - raised again by the thread that waits
            ended.put(bug)
            return
        seconds = time.monotonic() - begin
        there = log if log.exists() else None
        ended.put(Outcome(task_id, state, note, seconds, done.peak, done.times, done.outputs, there))

    def _perform(self, task_id: str) -> Done:
        task = self._task(task_id)
        if not self.plan.alone:
            for key, wanted in (("only_if", True), ("skip_if", False)):
                if (condition := getattr(task, key)) and is_yes(self._word(task_id, key, condition)) is not wanted:
                    raise Skipped(f"{key} says so")
        if task.approval:
            self.around.see(task_id, f"approval {task.approval.subject!r} is taken as given")
            return Done()
        if task.branch:
            self._branch(task_id, task)
            return Done()
        return TaskRun(task_id, self.around, values_of(task, self.values)).go()

    def _word(self, task_id: str, key: str, written: str) -> str:
        if not is_reference(written):
            return str(Templates(self.around.run, task_id).text(key, written)).strip()
        value = self.values[written]
        if isinstance(value, list) or value.stat().st_size > MOST_BYTES:
            raise RuntimeStop(f"{key} {written!r} is more than one word of at most {MOST_BYTES} bytes")
        return value.read_text(encoding="utf-8").strip()

    def _branch(self, task_id: str, task: Task) -> None:
        """Marks the tasks that the cases name and the chosen one does not lead to as skipped."""
        assert task.branch is not None
        word = self._word(task_id, "by", task.branch.by)
        chosen = task.branch.cases.get(word, task.branch.default)
        if chosen is None:
            valid = ", ".join(task.branch.cases)
            raise RuntimeStop(f"branch: there is no case {word[:80]!r} and no default; valid: {valid}")
        begun = self._entries(chosen)
        goes_on = begun | self._below(begun)
        self._skipped |= self._entries(task.branch.targets) - goes_on
        self.around.see(task_id, f"{word!r}: {', '.join(sorted(chosen))} go on")

    def _entries(self, targets: list[str]) -> set[str]:
        above, members = self.plan.pipeline.upstream(), self.plan.pipeline.tree.members
        return {
            task_id
            for target in targets
            for task_id in members.get(target, [target])
            if not above[task_id] & set(members.get(target, [target]))
        }

    def _below(self, begun: set[str]) -> set[str]:
        found: set[str] = set()
        frontier = begun
        while frontier:
            frontier = {name for name, above in self.plan.pipeline.upstream().items() if above & frontier} - found
            found |= frontier
        return found
