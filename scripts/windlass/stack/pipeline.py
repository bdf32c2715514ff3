"""One GitLab pipeline run by gitlab-ci-local in a clone: live output, and what became of each job."""

import csv
import json
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from windlass.runtime.process import run_script
from windlass.spec.errors import WindlassError

from .child_pipelines import Child, around, find_triggers
from .service import base_environment
from .settings import write_private

PASSED, FAILED, WARNED, SKIPPED, MANUAL, STUCK = "passed", "failed", "allowed to fail", "skipped", "manual", "not run"

LIMIT = timedelta(hours=6)
"""A pipeline that takes longer is stuck."""

STARTED = re.compile(r"(?P<job>.+?)\s+starting shell \(")
FINISHED = re.compile(r"(?P<job>.+?)\s+finished in [\d.]+ \S+(?:\s+(?P<state>FAIL|WARN)\b.*)?")
SAID = re.compile(r"(?P<job>.+?)\s+(?P<mark>[>$]) ?(?P<words>.*)")
NOISE = re.compile(
    r"( +> )?(parsing and downloads finished in|pipeline finished in|json schema validated in) .*"
    r"|downloaded \S+ \S+ \S+ in .*|\S+ +(artifacts from \S+ was empty|(imported|exported) artifacts in .*)"
    r"| PASS  .*|\S+ environment: \{.*\}|\s*|WARNING: \.windlass/cache/: no matching files\..*"
)
"""What gitlab-ci-local says about itself, and a summary that names the first environment's URL for all of them."""


STATE = ".gitlab-ci-local"
"""The folder in the clone where gitlab-ci-local builds and keeps artifacts."""


@dataclass(frozen=True)
class Job:
    """What became of one job; `seconds` is None when it did not run."""

    name: str
    stage: str
    environment: str
    result: str
    seconds: float | None = None


@dataclass
class Pipeline:
    """A clone with what a runner would know: the event's variables, and the CI/CD variables by environment."""

    clone: Path
    command: list[str]
    variables: dict[str, str]
    unset: tuple[str, ...]
    scoped: dict[str, dict[str, str]] = field(repr=False)
    """name -> environment or `*` -> value"""
    manual: tuple[str, ...] = ()
    """The manual jobs that somebody starts."""
    alone: str = ""
    """The one job that runs, where it is not the whole pipeline."""

    def run(self, output: Callable[[str], None]) -> list[Job]:
        """Every job of the pipeline in order, after all have run; `output` gets each line with secrets masked.

        When this process is interrupted or killed, the jobs end with it.
        """
        self._write_variables()
        planned = self._planned()
        if not planned:
            raise WindlassError("the pipeline has no job for this event: look at its rules and workflow")
        planned = self._chosen(planned)
        self._leave_out_files()
        children = self._children()
        watch = _Watch(planned, {child.trigger.job: _Watch([]) for child in children})
        mask = _Mask(value for name, values in self.scoped.items() if _secret(name) for value in values.values())

        def see(line: str) -> None:
            line = watch.see(line)
            if not NOISE.fullmatch(line):
                output(mask(line))

        chosen = [self.alone] if self.alone else [word for name in self.manual for word in ("--manual", name)]
        command = [*self._command(), "--state-dir", STATE, *(self._around(children) if children else []), *chosen]
        ended = run_script(shlex.join(command), self.clone, LIMIT, see, base_environment())
        for child in children:
            if child.listed.exists():
                watch.children[child.trigger.job].planned = _listed(child.listed.read_text())
        return watch.results(ended.code)

    def _chosen(self, planned: list[Job]) -> list[Job]:
        """Those of the planned jobs that shall run; refused where one is asked for that the pipeline does not have."""
        names = [job.name for job in planned]
        for name in filter(None, (*self.manual, self.alone)):
            if name not in names:
                raise WindlassError(f"the pipeline of this event has no job {name!r}; it has {', '.join(names)}")
        return [job for job in planned if self.alone in ("", job.name)]

    def _leave_out_files(self) -> None:
        """What gitlab-ci-local does not do: a job whose GIT_STRATEGY is none gets nothing of what git has."""
        job = declared_in(self.clone).get(self.alone, {}) if self.alone else {}
        if job.get("variables", {}).get("GIT_STRATEGY") == "none":
            command = ["git", "rm", "-r", "--cached", "--quiet", "."]
            subprocess.run(command, cwd=self.clone, env=base_environment(), check=True, timeout=120)

    def _children(self) -> list[Child]:
        """The child pipelines that this one may start; a job that runs alone starts none."""
        expanded = self.clone / STATE / "expanded-gitlab-ci.yml"
        triggers = find_triggers(expanded.read_text()) if expanded.exists() and not self.alone else []
        return [Child(trigger, self.clone.absolute(), number) for number, trigger in enumerate(triggers, 1)]

    def _around(self, children: list[Child]) -> list[str]:
        """The options that run the pipeline with them. The repository's own files have been checked by now."""
        (self.clone.parent / "pipeline.yml").write_text(around(children, self._command()))
        return ["--file", "../pipeline.yml", "--json-schema-validation=false"]

    def _planned(self) -> list[Job]:
        done = subprocess.run(
            [*self._command(), "--state-dir", STATE, "--list-csv-all"],
            cwd=self.clone,
            env=base_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode:
            words = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            raise WindlassError("gitlab-ci-local cannot read the pipeline:\n" + "\n".join(words[-12:]))
        return _listed(done.stdout)

    def _command(self) -> list[str]:
        """gitlab-ci-local with all that it has to know of the event, also for a child pipeline."""
        return [
            *self.command,
            *("--force-shell-executor", "--shell-isolation", "--no-artifacts-to-source"),
            *("--variables-file", "../variables.json", "--home", "../home"),
            *("--ignore-predefined-vars", ",".join(self.variables)),
            *(word for name in self.unset for word in ("--unset-variable", name)),
        ]

    def _write_variables(self) -> None:
        """JSON is YAML; `type: variable` keeps a value that begins with `/` from being taken for a file."""
        values = self.scoped | {name: {"*": value} for name, value in self.variables.items()}
        entries = {name: {"type": "variable", "values": value} for name, value in values.items()}
        write_private(self.clone.parent / "variables.json", json.dumps(entries, indent=1))


def declared_in(clone: Path) -> dict[str, Any]:
    """What each job of the pipeline that was read there says, with all that it extends; variables are still names."""
    found = yaml.safe_load((clone / STATE / "expanded-gitlab-ci.yml").read_text())
    return found if isinstance(found, dict) else {}


def _listed(output: str) -> list[Job]:
    """The jobs that gitlab-ci-local has listed; `result` is when they run."""
    table = output[output.find("name;") :].splitlines() if "name;" in output else []
    rows = csv.DictReader(table, delimiter=";")
    return [Job(row["name"], row["stage"], row["environment"], row["when"]) for row in rows if row["when"] != "never"]


@dataclass
class _Watch:
    """Follows the output: which job started when, and how it ended; in `children` by the job that triggers them."""

    planned: list[Job]
    children: dict[str, "_Watch"] = field(default_factory=dict)
    began: dict[str, float] = field(default_factory=dict)
    ended: dict[str, tuple[str, float]] = field(default_factory=dict)

    def see(self, line: str) -> str:
        """The line as a person may read it: what a job says that runs a child pipeline, the child's jobs say."""
        if (found := SAID.fullmatch(line)) and found["job"] in self.children:
            return self.children[found["job"]].see(found["words"]) if found["mark"] == ">" else ""
        if found := STARTED.match(line):
            self.began.setdefault(found["job"], time.monotonic())
        elif (found := FINISHED.fullmatch(line)) and found["job"] in self.began:
            state = {"FAIL": FAILED, "WARN": WARNED}.get(found["state"] or "", PASSED)
            self.ended[found["job"]] = (state, time.monotonic() - self.began[found["job"]])
        return line

    def results(self, code: int | None) -> list[Job]:
        broken = code != 0 or any(state == FAILED for state, _ in self.ended.values())
        jobs = []
        for planned in self.planned:
            if (job := self._result(planned, broken)) is not None:
                jobs += [job, *self._of_child(job)]
        return jobs

    def _of_child(self, trigger: Job) -> list[Job]:
        """The jobs of the child pipeline, if one was started; where its end does not count, nor does theirs."""
        if trigger.name not in self.children or trigger.name not in self.began:
            return []
        jobs = self.children[trigger.name].results(0 if trigger.result == PASSED else 1)
        if trigger.result == FAILED:
            return jobs
        return [replace(job, result=WARNED) if job.result == FAILED else job for job in jobs]

    def _result(self, job: Job, broken: bool) -> Job | None:
        when = job.result
        if job.name in self.ended:
            state, seconds = self.ended[job.name]
            return Job(job.name, job.stage, job.environment, state, round(seconds, 1))
        if job.name in self.began:
            return Job(job.name, job.stage, job.environment, FAILED)
        if when == "manual":
            return Job(job.name, job.stage, job.environment, MANUAL)
        if when == "on_failure" and not broken:
            return None
        return Job(job.name, job.stage, job.environment, SKIPPED if broken else STUCK)


def _secret(name: str) -> bool:
    return name.endswith(("_KEY", "_TOKEN", "_PASSWORD"))


class _Mask:
    """Hides secret values in a line, as GitLab's own job log does."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self.secrets = sorted({secret for secret in secrets if len(secret) >= 8}, key=len, reverse=True)

    def __call__(self, line: str) -> str:
        for secret in self.secrets:
            line = line.replace(secret, "[MASKED]")
        return line
