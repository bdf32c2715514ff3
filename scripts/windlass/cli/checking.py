"""From what Airflow made of rendered DAGs to problems at the lines that people wrote."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from windlass.adapters.airflow_check import Loaded
from windlass.render.places import name_at, places
from windlass.spec.document import Document, Location
from windlass.spec.problem import Problem

SLOW_SECONDS = 1.0
_FRAME = re.compile(r'^ *File "([^"]+)", line (\d+)', re.M)
_MARK = re.compile(r"__(split|each|merge_\w+)$")


@dataclass(frozen=True)
class Checked:
    """A rendered DAG: where its YAML is, its source, and the bundle's folder in which Airflow loaded it."""

    document: Document
    name: str
    source: str
    root: Path
    project: str
    own_operators: frozenset[str]
    environment: str | None = None

    @property
    def path(self) -> Path:
        """The file that Airflow loads."""
        return self.root / self.project / f"dags/{self.name}.py"

    @cached_property
    def places(self) -> Any:
        """The tasks by lines of the source."""
        return places(self.source)

    def problem(self, rule: str, message: str, task: str = "") -> Problem:
        """A problem at the task of the pipeline that the DAG's task or group belongs to."""
        where = f" in environment {self.environment!r}" if self.environment else ""
        return self.document.problem(self._location(task, message), rule, message + where, at_key=True)

    def _location(self, task: str, message: str) -> Location:
        if not task:
            return ("dag",)
        location: Location = ("tasks", *_MARK.sub("", task).split("."))
        for word in re.findall(r"'(\w+)'", message):  # "... got an unexpected keyword argument 'colour'"
            if (*location, word) in self.document.values:
                return (*location, word)
        return location

    def at_frame(self, rule: str, message: str, frames: list[tuple[str, int]]) -> Problem:
        """A problem where the innermost of the frames is that people wrote: an own operator's file, else the YAML."""
        for file, line in reversed(frames):
            inside = Path(file)
            parts = inside.relative_to(self.root / self.project).parts if self._is_own(inside) else ()
            if len(parts) == 2 and parts[0] == "operators" and inside.stem in self.own_operators:
                return Problem(f"operators/{parts[1]}", line, 1, rule, f"{message} ({self._who(frames)})")
        return self.problem(rule, message, self._task(frames))

    def _who(self, frames: list[tuple[str, int]]) -> str:
        task = self._task(frames)
        return f"pipeline {self.name!r}" + (f", task {task!r}" if task else "")

    def _task(self, frames: list[tuple[str, int]]) -> str:
        """The task or group that the frame in the rendered file is about."""
        return next((name_at(self.places, line) for file, line in reversed(frames) if Path(file) == self.path), "")

    def _is_own(self, file: Path) -> bool:
        return file.is_relative_to(self.root / self.project)


def judge(checked: list[Checked], loaded: Loaded) -> tuple[list[Problem], list[Problem]]:
    """What is wrong, and what a person should look at: DAGs that take long to import. Each is sorted."""
    problems: set[Problem] = set()
    slow: set[Problem] = set()
    owners: dict[tuple[str | None, str], Checked] = {}
    for one, first, second in zip(checked, loaded.first, loaded.second, strict=True):
        found = [*_of_load(one, first)]
        found = found or [*_of_load(one, second)]
        found = found or [*_of_content(one, first, second)]
        problems |= set(found) | {_of_act(one, act) for act in first.get("acts", []) if not found}
        for dag_id in first.get("dags", {}):
            owner = owners.setdefault((one.environment, dag_id), one)
            if owner is not one:
                problems.add(one.problem("check-load", f"dag_id {dag_id!r} is also made by {owner.document.path}"))
        seconds = min(first.get("seconds", 0.0), second.get("seconds", 0.0))
        if seconds > SLOW_SECONDS:
            message = f"Airflow takes {seconds:.1f} s to import the DAG, before each of its tasks too"
            slow.add(one.problem("check-slow", f"{message}; import heavy modules where they are used"))
    return sorted(problems), sorted(slow)


def _of_load(one: Checked, result: Mapping[str, Any]) -> Iterator[Problem]:
    ended, frames = result["ended"], _frames(result.get("stack", ""))
    if ended == "time":
        # the innermost frame comes first in what faulthandler writes
        yield one.at_frame("check-load", "loading the DAG does not come to an end", frames[::-1])
    elif ended == "exit":
        code = f" with exit code {result['code']}" if result["code"] else ""
        yield one.problem("check-load", f"the DAG's code ends the process while it is loaded{code}")
    elif ended == "signal":
        yield one.problem("check-load", f"the process that loads the DAG is ended by signal {-result['code']}")
    elif errors := result.get("errors", "").strip():
        yield one.at_frame("check-load", f"Airflow cannot load it: {_last_line(errors)}", _frames(_last_part(errors)))
    elif broken := result.get("broken"):
        yield from (one.problem("check-serialize", f"Airflow cannot keep it: {why}") for why in broken.values())
    elif result.get("left"):
        yield one.problem("check-load", "the DAG's code leaves processes running when it is loaded")
    elif one.name not in result.get("dags", {}):
        yield one.problem("check-load", f"Airflow finds no DAG {one.name!r} in the rendered file")


def _of_content(one: Checked, first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[Problem]:
    """A problem for what Airflow sees in another way each time: it would make a version of the DAG of each."""
    way = difference(first["dags"], second["dags"])
    if way is None:
        return
    task, value = _task_of(first["dags"], way), ".".join(str(part) for part in way if not isinstance(part, int))
    what = f"task {task!r}" if task else "the DAG"
    message = f"{what} is another one each time that it is loaded ({value}); something takes the time, a random number"
    yield one.problem("check-stable", f"{message} or the order of a set", task)


def difference(first: Any, second: Any, way: tuple[str | int, ...] = ()) -> tuple[str | int, ...] | None:
    """The way to the first value that differs; None when all are equal."""
    if isinstance(first, dict) and isinstance(second, dict) and first.keys() == second.keys():
        pairs: Any = ((key, first[key], second[key]) for key in sorted(first))
    elif isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        pairs = ((number, *pair) for number, pair in enumerate(zip(first, second, strict=True)))
    else:
        return None if first == second else way
    return next((found for key, one, two in pairs if (found := difference(one, two, (*way, key))) is not None), None)


def _task_of(dags: Any, way: tuple[str | int, ...]) -> str:
    value, task = dags, ""
    for part in way:
        value = value[part]
        inner = value.get("__var", value) if isinstance(value, dict) else {}
        if isinstance(inner, dict) and isinstance(inner.get("task_id"), str):
            task = inner["task_id"]
    return task


def _of_act(one: Checked, act: Mapping[str, Any]) -> Problem:
    message = f"the DAG's code {act['what']} while it is loaded; let it do so when the task runs"
    return one.at_frame("check-load", message, [(act["file"], act["line"])])


def _frames(text: str) -> list[tuple[str, int]]:
    """The files and lines of a traceback, outermost first."""
    return [(file, int(line)) for file, line in _FRAME.findall(text)]


def _last_part(traceback: str) -> str:
    """The traceback of the error that was not caught, without those that led to it."""
    return re.split(r"^(?:The above exception was|During handling of)", traceback, flags=re.M)[-1]


def _last_line(traceback: str) -> str:
    """What the error says, in one line and without the folder of this check."""
    lines = [line for line in traceback.splitlines() if line and not line.startswith((" ", "\t"))]
    return re.sub(r"\S*windlass-check-\w+/(bundle-\w+/)?", "", lines[-1] if lines else traceback)[:300]
