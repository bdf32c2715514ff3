"""One GitLab pipeline run by gitlab-ci-local in a clone: live output, and what became of each job."""

import csv
import json
import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from windlass.runtime.process import run_script
from windlass.spec.errors import WindlassError

from .service import base_environment
from .settings import write_private

PASSED, FAILED, WARNED, SKIPPED, MANUAL, STUCK = "passed", "failed", "allowed to fail", "skipped", "manual", "not run"

LIMIT = timedelta(hours=6)
"""A pipeline that takes longer is stuck."""

STARTED = re.compile(r"(?P<job>.+?)\s+starting shell \(")
FINISHED = re.compile(r"(?P<job>.+?)\s+finished in [\d.]+ \S+(?:\s+(?P<state>FAIL|WARN)\b.*)?")
NOISE = re.compile(
    r"(parsing and downloads|pipeline) finished in .*|json schema validated in .*"
    r"|\S+ +(artifacts from \S+ was empty|(imported|exported) artifacts in .*)"
    r"| PASS  .*|\S+ environment: \{.*\}|\s*|WARNING: \.windlass/cache/: no matching files\..*"
)
"""What gitlab-ci-local says about itself, and a summary that names the first environment's URL for all of them."""


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

    def run(self, output: Callable[[str], None]) -> list[Job]:
        """Every job of the pipeline in order, after all have run; `output` gets each line with secrets masked.

        When this process is interrupted or killed, the jobs end with it.
        """
        self._write_variables()
        planned = self._planned()
        if not planned:
            raise WindlassError("the pipeline has no job for this event: look at its rules and workflow")
        watch = _Watch(planned)
        mask = _Mask(value for name, values in self.scoped.items() if _secret(name) for value in values.values())

        def see(line: str) -> None:
            watch.see(line)
            if not NOISE.fullmatch(line):
                output(mask(line))

        ended = run_script(shlex.join([*self.command, *self._options()]), self.clone, LIMIT, see, base_environment())
        return watch.results(ended.code)

    def _planned(self) -> list[Job]:
        done = subprocess.run(
            [*self.command, *self._options(), "--list-csv-all"],
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
        table = done.stdout[done.stdout.find("name;") :].splitlines() if "name;" in done.stdout else []
        rows = csv.DictReader(table, delimiter=";")
        return [
            Job(row["name"], row["stage"], row["environment"], row["when"]) for row in rows if row["when"] != "never"
        ]

    def _options(self) -> list[str]:
        options = [
            *("--force-shell-executor", "--shell-isolation", "--no-artifacts-to-source"),
            *("--state-dir", ".gitlab-ci-local", "--variables-file", "../variables.json", "--home", "../home"),
            *("--ignore-predefined-vars", ",".join(self.variables)),
        ]
        for name, value in self.variables.items():
            options += ["--variable", f"{name}={value}"]
        for name in self.unset:
            options += ["--unset-variable", name]
        return options

    def _write_variables(self) -> None:
        """JSON is YAML; `type: variable` keeps a value that begins with `/` from being taken for a file."""
        entries = {name: {"type": "variable", "values": values} for name, values in self.scoped.items()}
        write_private(self.clone.parent / "variables.json", json.dumps(entries, indent=1))


@dataclass
class _Watch:
    """Follows the output: which job started when, and how it ended."""

    planned: list[Job]
    began: dict[str, float] = field(default_factory=dict)
    ended: dict[str, tuple[str, float]] = field(default_factory=dict)

    def see(self, line: str) -> None:
        if found := STARTED.match(line):
            self.began.setdefault(found["job"], time.monotonic())
        elif (found := FINISHED.fullmatch(line)) and found["job"] in self.began:
            state = {"FAIL": FAILED, "WARN": WARNED}.get(found["state"] or "", PASSED)
            self.ended[found["job"]] = (state, time.monotonic() - self.began[found["job"]])

    def results(self, code: int | None) -> list[Job]:
        broken = code != 0 or any(state == FAILED for state, _ in self.ended.values())
        return [job for planned in self.planned if (job := self._result(planned, broken)) is not None]

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
