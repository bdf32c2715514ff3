"""What GitLab records of a pipeline's jobs: deployments, and the environments that they start and stop.

A job deploys unless its environment has another `action`: one that prepares, verifies or asks an environment for its
variables leaves no deployment, and one that stops it stops it.
"""

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from windlass.spec.errors import ServiceError

from .event import merge_request_of
from .people import People, Started
from .pipeline import FAILED, PASSED, STATE, WARNED, Job, Pipeline, declared_in

UNITS = {"minute": 1, "hour": 60, "day": 24 * 60, "week": 7 * 24 * 60, "month": 30 * 24 * 60}


@dataclass(frozen=True)
class Said:
    """What a job says of its environment, with its variables' values in place of their names."""

    action: str = "start"
    url: str = ""
    tier: str = ""
    on_stop: str = ""
    auto_stop_in: str = ""


def said_by(job: Job, declared: Mapping[str, Any], pipeline: Pipeline) -> Said:
    """What `job` says; its address may be made of what its own dotenv report says."""
    environment = declared.get(job.name, {}).get("environment", {})
    if not isinstance(environment, dict):
        return Said()
    known = _variables(job, declared, pipeline)
    keys = {"action": "action", "url": "url", "tier": "deployment_tier", "on_stop": "on_stop"}
    keys["auto_stop_in"] = "auto_stop_in"
    told = {name: expanded(str(environment[key]), known) for name, key in keys.items() if environment.get(key)}
    return Said(**told)


def _variables(job: Job, declared: Mapping[str, Any], pipeline: Pipeline) -> dict[str, str]:
    """By GitLab's precedence: what the project sets is worth more than what a report says, and that than the file."""
    own = declared.get(job.name, {}).get("variables", {})
    in_file = {**declared.get("variables", {}), **own}
    scoped = {name: values.get(job.environment, values.get("*")) for name, values in pipeline.scoped.items()}
    found = {**pipeline.variables, **{name: _value(value) for name, value in in_file.items()}}
    found |= {"CI_ENVIRONMENT_NAME": job.environment, **reported(pipeline.clone, job.name)}
    return found | {name: value for name, value in scoped.items() if value is not None}


def _value(written: Any) -> str:
    return str(written.get("value", "") if isinstance(written, dict) else written)


def reported(clone: Path, job: str) -> dict[str, str]:
    """The variables of the job's dotenv reports, where gitlab-ci-local keeps them."""
    folder = re.sub(r"[^\w-]+", lambda found: base64.urlsafe_b64encode(found[0].encode()).decode().rstrip("="), job)
    found: dict[str, str] = {}
    for file in sorted((clone / STATE / "artifacts" / folder / ".gitlab-ci-reports/dotenv").rglob("*")):
        if file.is_file():
            lines = [line.partition("=") for line in file.read_text().splitlines() if "=" in line]
            found |= {name.strip(): value.strip() for name, _, value in lines}
    return found


def expanded(text: str, known: Mapping[str, str], depth: int = 5) -> str:
    """`text` with values in place of $NAME and ${NAME}; a variable that nobody has set is empty."""
    named = re.compile(r"\$(?:(\w+)|\{(\w+)\})")
    while depth and named.search(text):
        text, depth = named.sub(lambda found: known.get(found[1] or found[2], ""), text), depth - 1
    return text


def stop_time(said: str, now: datetime) -> str | None:
    """When an environment with this `auto_stop_in` stops by itself; None for never, and for words not understood."""
    found = re.fullmatch(r"(\d+) (\w+?)s?", said.strip())
    if found is None or found[2] not in UNITS:
        return None
    end = now + timedelta(minutes=int(found[1]) * UNITS[found[2]])
    return end.strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Environments:
    """The environments of a project, `project` as who runs the pipelines sees it."""

    def __init__(self, people: People, project: Any) -> None:
        self.people, self.project = people, project

    def record(self, jobs: Iterable[Job], pipeline: Pipeline, about: Mapping[str, Any]) -> None:
        """Leaves what jobs of the pipeline, of which the stand-in tells `about`, have done."""
        ran = [job for job in jobs if job.environment and job.result in (PASSED, FAILED, WARNED)]
        declared = declared_in(pipeline.clone) if ran else {}
        for job in ran:
            said = said_by(job, declared, pipeline)
            if said.action == "start":
                self._deployed(job, said, about)
            elif said.action == "stop" and (found := self._named(job.environment)):
                self._arrange(found.id, {"state": "stopped" if job.result == PASSED else "available"})

    def stopping(self) -> list[dict[str, Any]]:
        """The environments that wait for the job that stops them."""
        found: list[dict[str, Any]] = self.people.ask("GET", f"projects/{self.project.id}/environments")
        return found

    @contextmanager
    def stop(self, environment: Mapping[str, Any]) -> Iterator[Started]:
        """The job that stops the environment, in the pipeline that deployed it; one that fails leaves it as it was."""
        pipeline, told = environment["pipeline"], {"name": environment["on_stop"], "environment": environment["name"]}
        job = self.people.ask("POST", f"pipelines/{pipeline['id']}/jobs", told)
        started = Started(pipeline, job["token"])
        try:
            yield started
        finally:
            self.people.ask("PUT", f"jobs/{job['id']}", {"status": "success" if started.ended_well else "failed"})
            self._arrange(environment["id"], {"state": "stopped" if started.ended_well else "available"})

    def stop_of(self, ref: str) -> list[str]:
        """The names of the environments that were deployed from `ref` last and now are told to stop."""
        last = {one.environment["name"]: one.ref for one in self.project.deployments.list(get_all=True)}
        names = sorted(name for name, deployed in last.items() if deployed == ref)
        for name in names:
            found = self._named(name)
            if found is not None:
                self.project.environments.get(found.id).stop()
        return names

    def _deployed(self, job: Job, said: Said, about: Mapping[str, Any]) -> None:
        is_new, is_done = self._named(job.environment) is None, job.result == PASSED
        told = {name: about[name] for name in ("ref", "sha", "tag")}
        status = "success" if is_done else "failed"
        self.project.deployments.create({**told, "environment": job.environment, "status": status})
        found = self._named(job.environment)
        if found is None:
            raise ServiceError(f"the stack's GitLab stand-in has lost the environment {job.environment}")
        known: dict[str, Any] = {"on_stop": said.on_stop or None, "pipeline": about}
        if is_new:
            known["merge_request_iid"] = merge_request_of(about["ref"])
        if is_done:
            known["auto_stop_at"] = stop_time(said.auto_stop_in, datetime.now(UTC))
            shown = {"external_url": said.url, "tier": said.tier}
            self.project.environments.update(found.id, {name: value for name, value in shown.items() if value})
        self._arrange(found.id, known)

    def _named(self, name: str) -> Any:
        return next(iter(self.project.environments.list(name=name, get_all=True)), None)

    def _arrange(self, number: int, told: dict[str, Any]) -> None:
        self.people.ask("PUT", f"projects/{self.project.id}/environments/{number}", told)
