"""Child pipelines, each run by a gitlab-ci-local of its own: for its parent one that it runs itself has always passed.

It also looks for the artifact of `digits:train:jobs` in a folder of that very name and not where it has put it, takes a
file that is not there for a pipeline without jobs, and tells the child none of the event's variables. So the job that
triggers a child is given a script, and has what GitLab gives it by `strategy: depend`: the end of the child.
"""

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_HAS_A_JOB = "/^name;/ {list = 1; next} list && !/;never;/ {job = 1} END {exit !job}"


@dataclass(frozen=True)
class Trigger:
    """A job that starts a child pipeline: `file` is the child's, in the repository or among the artifacts of a job."""

    job: str
    file: str
    depends: bool
    variables: Mapping[str, str]


@dataclass(frozen=True)
class Child:
    """A child in a run of its own: its pipeline and the list of its jobs are written beside the clone."""

    trigger: Trigger
    clone: Path
    number: int

    @property
    def listed(self) -> Path:
        """The child's jobs as gitlab-ci-local lists them; there when the child could be read."""
        return self._beside("csv")

    def script(self, command: Iterable[str]) -> list[str]:
        """What the job does; `command` is gitlab-ci-local with all that it needs to know of this run."""
        run = shlex.join([*command, *self._options(), "--json-schema-validation=false"])
        look = shlex.join([*command, *self._options(), "--list-csv-all"])
        listed, pipeline = shlex.quote(str(self.listed)), shlex.quote(str(self._beside("yml")))
        return [
            f"cp {shlex.quote(self.trigger.file)} {pipeline}",
            f"cd {shlex.quote(str(self.clone))}",
            f"{look} > {listed}.new",
            f"mv {listed}.new {listed}",
            f"awk '{_HAS_A_JOB}' {listed} || {{ echo 'the child pipeline has no job'; exit 1; }}",
            run if self.trigger.depends else f"{run} || true",
        ]

    def _options(self) -> list[str]:
        given = {**self.trigger.variables, "CI_PIPELINE_SOURCE": "parent_pipeline"}
        options = ["--state-dir", f".gitlab-ci-local/child-{self.number}", "--file", f"../{self._beside('yml').name}"]
        return options + [word for name, value in given.items() for word in ("--variable", f"{name}={value}")]

    def _beside(self, kind: str) -> Path:
        return self.clone.parent / f"child-{self.number}.{kind}"


def find_triggers(expanded: str) -> list[Trigger]:
    """The triggers of a child pipeline in what gitlab-ci-local has made of a pipeline's files."""
    document = yaml.load(expanded, Loader=yaml.CBaseLoader)  # noqa: S506 - makes nothing but text
    shared = document.get("variables") or {}
    jobs = [(name, job) for name, job in document.items() if isinstance(job, dict) and not name.startswith(".")]
    return [trigger for name, job in jobs if (trigger := _trigger(name, job, shared)) is not None]


def _trigger(name: str, job: Mapping[str, Any], shared: Mapping[str, str]) -> Trigger | None:
    trigger = job.get("trigger")
    if not isinstance(trigger, dict):
        return None
    included = trigger.get("include")
    if not isinstance(included, list) or len(included) != 1:
        return None  # another project's pipeline, or one of several files: gitlab-ci-local says what it makes of it
    file = included[0].get("artifact") or included[0].get("local")
    if not file:
        return None
    forwards = (trigger.get("forward") or {}).get("yaml_variables") != "false"
    variables = {**shared, **(job.get("variables") or {})} if forwards else {}
    return Trigger(name, file.lstrip("/"), trigger.get("strategy") in ("depend", "mirror"), variables)


def around(children: Iterable[Child], command: Iterable[str]) -> str:
    """A pipeline that is the repository's own, but for the jobs that trigger a child."""
    command = list(command)
    nothing: dict[str, Any] = {"trigger": None, "before_script": [], "after_script": [], "cache": []}
    jobs = {child.trigger.job: {**nothing, "script": child.script(command)} for child in children}
    return json.dumps({"include": [{"local": "/.gitlab-ci.yml"}], **jobs}, indent=1)
