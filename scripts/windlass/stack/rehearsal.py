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
    CLOSE,
    DELETE,
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
from .people import ROOT, People, Started, client, group_at
from .pipeline import FAILED, PASSED, STUCK, WARNED, Job, Pipeline
from .publish import Rejected, Remote
from .settings import ENVIRONMENTS
from .stack import Stack

PLATFORM = "platform/windlass"
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
    rehearser = _Rehearser(stack, path, platform or publish.platform_checkout(), variables or {}, report)
    command = node.gitlab_ci_local(report)
    with _translated():
        rehearser.publish()
        if user is not None:
            rehearser.become(user)
        if event in ENDS:
            return rehearser.end(command, event, output)
        ref, request = rehearser.happen(event, tag)
        stopped = rehearser.stop_environments(command, output)
        rehearsal = rehearser.run(command, event, ref, request, output, manual)
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
    """One rehearsal: the repository, its project on the stand-in, and the way there."""

    def __init__(self, stack: Stack, path: Path, platform: Path, variables: Mapping[str, str], report: Output) -> None:
        settings = stack.settings()
        self.stack, self.path, self.platform, self.report = stack, path, platform, report
        self.variables = variables
        self.people = People(settings.url("gitlab"), settings.operator_token)
        self.user = ROOT
        self.scratch = stack.home / "platform.git"
        self.operator = self.remote = Remote(settings.url("gitlab"), settings.operator_token)
        self.api = client(settings.url("gitlab"), settings.operator_token)
        self.project: Any = None
        self.head = self.git("rev-parse", "HEAD", check=False)
        if not re.fullmatch("[0-9a-f]{40,64}", self.head):
            raise WindlassError(f"{path} has no commit yet: git add and git commit first")

    def git(self, *arguments: str, check: bool = True) -> str:
        return self.remote.git(self.path, *arguments, check=check)

    def publish(self) -> None:
        """Both repositories have their projects; the platform's files of this moment are on its main."""
        if self.git("status", "--porcelain"):
            self.report("uncommitted changes are left out: a pipeline runs for what is committed")
        self._let_replace(self._project(PLATFORM, visibility="public"))
        commit = publish.push_snapshot(self.remote, self.platform, self.scratch, PLATFORM)
        versions = publish.push_versions(self.remote, self.platform, PLATFORM)
        publish.push_own_version(self.remote, self.platform, self.scratch, PLATFORM, commit)
        also = f", and {versions} {'tag' if versions == 1 else 'tags'}" if versions else ""
        self.report(f"published {self.platform} as {PLATFORM} at {commit[:8]}{also}")
        self.project = self._project(f"models/{self.path.name}", visibility="private")

    def happen(self, event: str, tag: str | None) -> tuple[str, Any]:
        """The branch or tag that the pipeline runs for, after the event has happened, and the merge request if any."""
        if event == TAG:
            return self._tag(tag), None
        if event == MERGE_REQUEST:
            request = self._open(self._branch())
            self.report(f"merge request {request.reference}: {request.web_url}")
            return request.source_branch, request
        if event == SCHEDULE:
            self._need_main()
            return "main", None
        return "main", self._main()

    def end(self, command: list[str], event: str, output: Output) -> Rehearsal:
        """The branch's merge request is closed, the branch deleted, or its environments stopped; and what follows."""
        branch = self._branch()
        wanted = {} if event == STOP else {"state": "opened"}
        found = self.project.mergerequests.list(source_branch=branch, **wanted, get_all=True)
        if not found:
            raise WindlassError(f"{branch} has no open merge request: rehearse --event merge-request first")
        request = self.project.mergerequests.get(found[0].iid)
        if event == CLOSE:
            request.state_event = "close"
            request.save()
            self.report(f"closed {request.reference}: {request.web_url}")
        elif event == DELETE:
            self.project.branches.delete(branch)
            self.report(f"deleted {branch}, which closes {request.reference}: {request.web_url}")
        else:
            Environments(self.people, self.project).stop_of(pipeline_ref(request))
        jobs = self.stop_environments(command, output)
        if not jobs:
            self.report("no environment has a job that stops it now")
        path, runs = self.project.path_with_namespace, self.stack.home / "runs"
        return Rehearsal(event, path, branch, request.sha, jobs, runs, request.web_url)

    def stop_environments(self, command: list[str], output: Output) -> list[Job]:
        """The jobs that GitLab starts for environments that are to stop, each in the pipeline that deployed there."""
        environments = Environments(self.people, self.project)
        jobs = []
        for environment in environments.stopping():
            about, folder = environment["pipeline"], _next_run(self.stack.home / "runs", "stop")
            publish.clone(self.remote, self.project.path_with_namespace, about["sha"], folder / "clone")
            self.report(f"{environment['name']} is to stop: running {environment['on_stop']} in {folder}")
            event, ref, request = self._event_of(about)
            with environments.stop(environment) as started:
                run = self._pipeline(command, folder, event, ref, request, started)
                run.alone = environment["on_stop"]
                ended = run.run(output)
                started.ended_well = all(job.result == PASSED for job in ended)
            # it may be allowed to fail in its pipeline, but here it is all that there is
            jobs += [replace(job, result=FAILED) if job.result == WARNED else job for job in ended]
        return jobs

    def _event_of(self, about: Mapping[str, Any]) -> tuple[str, str, Any]:
        """What an earlier pipeline was for: event, branch or tag, and merge request."""
        if iid := merge_request_of(about["ref"]):
            request = self.project.mergerequests.get(iid)
            return MERGE_REQUEST, request.source_branch, request
        return (TAG if about["tag"] else MAIN), about["ref"], None

    def become(self, user: str) -> None:
        """From here on everything is done by `user`, who joins the project as a developer unless they have a role."""
        token = self.people.token(user)
        if self.people.join(user, self.project):
            self.report(f"{user} joins {self.project.path_with_namespace} as a developer")
        if not self._has_main():
            publish.push_empty_main(self.operator, self.scratch, self.project.path_with_namespace)
        self.user, self.remote = user, Remote(self.remote.url, token, user)
        self.project = client(self.remote.url, token).projects.get(self.project.id)

    def _let_replace(self, platform: Any) -> None:
        """Each snapshot of the platform is a first commit: it can only be pushed by force."""
        for branch in platform.protectedbranches.list(get_all=True):
            if not branch.allow_force_push:
                branch.allow_force_push = True
                branch.save()

    def _project(self, path: str, visibility: str) -> Any:
        import gitlab

        try:
            return self.api.projects.get(path)
        except gitlab.GitlabGetError as missing:
            if missing.response_code != 404:
                raise
        group, name = path.split("/")
        told = {"name": name, "namespace_id": group_at(self.api, group), "visibility": visibility}
        return self.api.projects.create(told)

    def _branch(self) -> str:
        name = self.git("rev-parse", "--abbrev-ref", "HEAD")
        return "rehearsal" if name in ("HEAD", "main", "master") else name

    def _open(self, branch: str) -> Any:
        """The open merge request of `branch`, which now is at the repository's HEAD."""
        if not self._has_main():
            publish.push_empty_main(self.operator, self.scratch, self.project.path_with_namespace)
        self._push(branch, force=True)
        for request in self.project.mergerequests.list(state="opened", source_branch=branch, get_all=True):
            return self.project.mergerequests.get(request.iid)
        title = self.git("log", "-1", "--format=%s")
        wanted = {"source_branch": branch, "target_branch": "main", "title": title or branch}
        return self.project.mergerequests.create(wanted)

    def _main(self) -> Any:
        """The merge request that was merged, or None when HEAD could simply be pushed to main."""
        branch = self._branch()
        waiting = self.project.mergerequests.list(state="opened", source_branch=branch, get_all=True)
        if not waiting:
            try:
                self._push("main")
                self.report("pushed HEAD to main")
                return None
            except Rejected:
                if self._on_main():
                    self.report("main has this commit already: its pipeline runs once more")
                    return None
        request = self._open(branch)
        request.merge(sha=self.head)
        self.report(f"merged {request.reference} into main: {request.web_url}")
        return request

    def _tag(self, name: str | None) -> str:
        self._need_main()
        name = name or next_version([tag.name for tag in self.project.tags.list(get_all=True)])
        self.project.tags.create({"tag_name": name, "ref": "main", "message": f"Release {name}"})
        self.report(f"tagged main as {name}")
        return name

    def _need_main(self) -> None:
        if not self._has_main():
            raise WindlassError("there is no main branch yet: rehearse with --event main first")

    def _has_main(self) -> bool:
        return any(branch.name == "main" for branch in self.project.branches.list(get_all=True))

    def _on_main(self) -> bool:
        import gitlab

        try:
            branches = self.project.commits.get(self.head).refs("branch", get_all=True)
        except gitlab.GitlabGetError:
            return False  # the project does not have this commit
        return any(branch["name"] == "main" for branch in branches)

    def _push(self, branch: str, force: bool = False) -> None:
        publish.push(self.remote, self.path, self.project.path_with_namespace, self.head, branch, force)

    def run(
        self, command: list[str], event: str, ref: str, request: Any, output: Output, manual: tuple[str, ...]
    ) -> Rehearsal:
        """The pipeline's outcome, after it ran in a fresh clone of `ref`; deployments are on record as in GitLab."""
        folder = _next_run(self.stack.home / "runs", event)
        commit = publish.clone(self.remote, self.project.path_with_namespace, ref, folder / "clone")
        self.report(f"running the pipeline of {ref} at {commit[:8]} in {folder}")
        with self.people.pipeline(self.project, self.user, of_pipeline(event, ref, commit, request)) as started:
            run = self._pipeline(command, folder, event, ref, request, started)
            run.manual = manual
            jobs = run.run(output)
            started.ended_well = Rehearsal(event, "", ref, commit, jobs, folder).ok
        Environments(self.people, self.project).record(jobs, run, started.pipeline)
        url = request.web_url if request is not None else ""
        return Rehearsal(event, self.project.path_with_namespace, ref, commit, jobs, folder, url)

    def _pipeline(
        self, command: list[str], folder: Path, event: str, ref: str, request: Any, started: Started
    ) -> Pipeline:
        title = self.project.commits.get(started.pipeline["sha"]).title
        return Pipeline(
            clone=folder / "clone",
            command=command,
            variables=predefined(event, ref, title, request, self.project, started.pipeline),
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


def next_version(tags: list[str]) -> str:
    """The next patch version after the highest of `tags`; v0.1.0 is the first."""
    versions = [tuple(map(int, m.groups())) for tag in tags if (m := re.fullmatch(r"v(\d+)\.(\d+)\.(\d+)", tag))]
    if not versions:
        return "v0.1.0"
    major, minor, patch = max(versions)
    return f"v{major}.{minor}.{patch + 1}"


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
