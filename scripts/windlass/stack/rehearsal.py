"""A delivery rehearsed on the stack: a repository's own pipeline for an event, and the jobs that an end starts."""

import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from windlass.spec.errors import ServiceError, TransientError, WindlassError

from . import node, publish
from .deployments import Environments
from .event import (
    ENDS,
    MAIN,
    MERGE_REQUEST,
    SCHEDULE,
    STOP,
    TAG,
    merge_request_of,
    of_pipeline,
    pipeline_ref,
    predefined,
)
from .people import Started
from .pipeline import FAILED, PASSED, STUCK, WARNED, Job, Pipeline
from .repository import PLATFORM, Repository
from .settings import ENVIRONMENTS
from .stack import Stack

KEPT_RUNS = 12

Output = Callable[[str], None]


@dataclass(frozen=True)
class Rehearsal:
    """What a pipeline did: `ref` is the branch or tag it ran for, `url` the merge request, if there was one.

    The jobs that stopped environments before come first.
    """

    event: str
    project: str
    ref: str
    commit: str
    jobs: list[Job]
    folder: Path
    url: str = ""

    @property
    def ok(self) -> bool:
        """Whether every job that should have run did, and none failed."""
        return all(job.result not in (FAILED, STUCK) for job in self.jobs)


def rehearse(
    stack: Stack,
    path: Path,
    event: str = MERGE_REQUEST,
    *,
    tag: str | None = None,
    platform: Path | None = None,
    variables: Mapping[str, str] | None = None,
    user: str | None = None,
    manual: tuple[str, ...] = (),
    report: Output = lambda line: None,
    output: Output = print,
) -> Rehearsal:
    """What `event`'s pipeline of the repository at `path` does on `stack`, which must be up.

    The pipeline runs for what is committed; `tag` names the new tag, else it is the next patch version. `variables` are
    the project's CI/CD variables beside those that the stack gives. `user` pushes, merges and tags in place of the
    stack's operator, with no more rights than that user has. `manual` are the manual jobs that somebody starts.
    """
    path = ready(path, report)
    repository = Repository(stack, path, report)
    command = node.gitlab_ci_local(report)
    with _translated():
        repository.publish(platform or publish.platform_checkout())
        if user is not None:
            repository.become(user)
        rehearser = _Rehearser(stack, repository, variables or {}, command, output)
        if event in ENDS:
            return rehearser.end(event)
        ref, request = repository.happen(event, tag)
        stopped = rehearser.stop_environments()
        rehearsal = rehearser.run(event, ref, request, manual)
        return replace(rehearsal, jobs=[*stopped, *rehearsal.jobs])


def ready(path: Path, report: Output) -> Path:
    """The repository at `path`, after what a rehearsal needs of it and of this machine is there: ask before `up`."""
    path = path.resolve()
    if not (path / ".git").exists():
        raise WindlassError(f"{path} is not the top of a git repository: git init it, commit, and try again")
    if not (path / ".gitlab-ci.yml").exists():
        raise WindlassError(f"{path} has no .gitlab-ci.yml: it must include ci/model.yml of {PLATFORM}")
    node.need_rsync(report)
    return path


def shows_reviews(path: Path) -> bool:
    """Whether the pipeline of the repository seems to have review environments, which an Airflow shows."""
    return "review" in (path / ".gitlab-ci.yml").read_text()


class _Rehearser:
    """Runs pipelines of one repository on the stack, with gitlab-ci-local, which is `command`."""

    def __init__(
        self, stack: Stack, repository: Repository, variables: Mapping[str, str], command: list[str], output: Output
    ) -> None:
        self.stack, self.repository, self.variables = stack, repository, variables
        self.command, self.output = command, output
        self.environments = Environments(repository.people, repository.project)

    def end(self, event: str) -> Rehearsal:
        """What follows when the merge request is closed, its branch deleted, or its environments stopped."""
        request = self.repository.finish(event)
        if event == STOP:
            self.environments.stop_of(pipeline_ref(request))
        jobs = self.stop_environments()
        if not jobs:
            self.repository.report("no environment has a job that stops it now")
        runs = self.stack.home / "runs"
        return Rehearsal(event, self.repository.name, request.source_branch, request.sha, jobs, runs, request.web_url)

    def stop_environments(self) -> list[Job]:
        """The jobs that GitLab starts for environments that are to stop, each in the pipeline that deployed there."""
        jobs = []
        for environment in self.environments.stopping():
            about, folder = environment["pipeline"], _next_run(self.stack.home / "runs", "stop")
            publish.clone(self.repository.remote, self.repository.name, about["sha"], folder / "clone")
            self.repository.report(f"{environment['name']} is to stop: running {environment['on_stop']} in {folder}")
            event, ref, request = self._event_of(about)
            with self.environments.stop(environment) as started:
                run = self._pipeline(folder, event, ref, request, started)
                run.alone = environment["on_stop"]
                ended = run.run(self.output)
                started.ended_well = all(job.result == PASSED for job in ended)
            # it may be allowed to fail in its pipeline, but here it is all that there is
            jobs += [replace(job, result=FAILED) if job.result == WARNED else job for job in ended]
        return jobs

    def _event_of(self, about: Mapping[str, Any]) -> tuple[str, str, Any]:
        """What an earlier pipeline was for: event, branch or tag, and merge request."""
        if iid := merge_request_of(about["ref"]):
            request = self.repository.project.mergerequests.get(iid)
            return MERGE_REQUEST, request.source_branch, request
        return (TAG if about["tag"] else MAIN), about["ref"], None

    def run(self, event: str, ref: str, request: Any, manual: tuple[str, ...]) -> Rehearsal:
        """The pipeline's outcome, after it ran in a fresh clone of `ref`; deployments are on record as in GitLab."""
        repository = self.repository
        folder = _next_run(self.stack.home / "runs", event)
        commit = publish.clone(repository.remote, repository.name, ref, folder / "clone")
        repository.report(f"running the pipeline of {ref} at {commit[:8]} in {folder}")
        about = of_pipeline(event, ref, commit, request)
        with repository.people.pipeline(repository.project, repository.user, about) as started:
            run = self._pipeline(folder, event, ref, request, started)
            run.manual = manual
            jobs = run.run(self.output)
            started.ended_well = Rehearsal(event, "", ref, commit, jobs, folder).ok
        self.environments.record(jobs, run, started.pipeline)
        url = request.web_url if request is not None else ""
        return Rehearsal(event, repository.name, ref, commit, jobs, folder, url)

    def _pipeline(self, folder: Path, event: str, ref: str, request: Any, started: Started) -> Pipeline:
        project = self.repository.project
        title = project.commits.get(started.pipeline["sha"]).title
        return Pipeline(
            clone=folder / "clone",
            command=self.command,
            variables=predefined(event, ref, title, request, project, started.pipeline),
            unset=() if event in (MAIN, SCHEDULE) else ("CI_COMMIT_BRANCH",),
            scoped=self._scoped(started.token),
        )

    def _scoped(self, job_token: str) -> dict[str, dict[str, str]]:
        """The project's CI/CD variables by environment; jobs without one get the first environment's."""
        scoped: dict[str, dict[str, str]] = {"CI_JOB_TOKEN": {"*": job_token}}
        for scope, environment in [("*", ENVIRONMENTS[0]), *((e, e) for e in ENVIRONMENTS)]:
            for name, value in self.stack.ci_variables(environment).items():
                scoped.setdefault(name, {})[scope] = value
        return scoped | {name: {"*": value} for name, value in self.variables.items()}


def _next_run(runs: Path, event: str) -> Path:
    """A new folder for a run; the oldest ones beyond a dozen are removed."""
    runs.mkdir(parents=True, exist_ok=True)
    numbered = sorted(folder for folder in runs.iterdir() if re.match(r"\d{4}-", folder.name))
    for old in numbered[: -(KEPT_RUNS - 1)]:
        shutil.rmtree(old, ignore_errors=True)
    number = int(numbered[-1].name[:4]) + 1 if numbered else 1
    folder = runs / f"{number:04d}-{event}"
    folder.mkdir(mode=0o700)
    return folder


@contextmanager
def _translated() -> Iterator[None]:
    import gitlab
    import requests

    try:
        yield
    except gitlab.GitlabError as refused:
        raise ServiceError(f"the stack's GitLab stand-in refused: {refused.error_message}") from refused
    except requests.RequestException as away:
        raise TransientError("the stack's GitLab stand-in did not answer: run `windlass stack up`") from away
