"""A company on the stack's GitLab stand-in that delivers a model: people, projects, jobs with tokens, an Airflow.

Commands run in this process, as a job's script does: in a clone of the commit, with the platform beside it and the
variables of GitLab. S3 is a store in memory.
"""

import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.test_commands import FILES
from tests.fakes.airflow_server import AirflowServer
from tests.fakes.http_stub import http_stub
from tests.fakes.memory_store import MemoryStore
from tests.fakes.standin import DEVELOPER, MAINTAINER, Checkout, Company, serve
from windlass.cli.main import main
from windlass.delivery.history.states import load_current
from windlass.spec.state import State
from windlass.stack import ports
from windlass.stack.gitlab.app import Standin
from windlass.stack.gitlab.faults import Faults
from windlass.stack.publish import Remote

PROJECT, PLATFORM = "ocr/digits", "platform/windlass"
PEOPLE = {
    "ann": DEVELOPER, "bob": DEVELOPER, "zoe": DEVELOPER, "bot": DEVELOPER, "mia": MAINTAINER, "dev": MAINTAINER,
}  # fmt: skip
"""Their roles in GitLab: ann writes, bob is a data engineer, mia a manager, dev a developer, bot posts notes."""
GATE = """\
gate:
  approvals: 1
  roles: {data-engineer: 1}
  tag: {protected: true, roles: [developer]}
  override: {people: 2, roles: [manager, developer], for: 4 hours}
"""
ROLES = "data-engineer: {users: [bob, ann]}\nmanager: {users: [mia]}\ndeveloper: {users: [dev]}\n"
AIRFLOW = "airflow: {url: '%s/%s', username: windlass, password: '${PASSWORD}'}\n"
VERIFY = "verify: {timeout: 1 second, on_failure: rollback}\n"
TOKEN = "operator-token"


@dataclass
class Job:
    """A running job's clone of its commit; `token` is its CI_JOB_TOKEN."""

    folder: Path
    commit: str
    token: str = field(repr=False)


@dataclass
class Story:
    """Everybody and everything; `project` is the model's project as GitLab's operator sees it."""

    company: Company
    store: MemoryStore
    airflow: AirflowServer
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    airflow_url: str
    said: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    _clients: dict[str, Any] = field(default_factory=dict)
    _remotes: dict[str, Remote] = field(default_factory=dict)

    # -- what people do

    @property
    def project(self) -> Any:
        return self.company.root.projects.get(PROJECT)

    def of(self, name: str) -> Any:
        """The project as somebody sees it."""
        if name not in self._clients:
            self._clients[name] = self.company.api(name)
        return self._clients[name].projects.get(PROJECT, lazy=True)

    def remote(self, name: str) -> Remote:
        """git as somebody."""
        if name not in self._remotes:
            self._remotes[name] = self.company.remote(name)
        return self._remotes[name]

    def policy(self, gate: str = GATE, roles: str = ROLES, owners: str = "") -> None:
        """What the platform's main says from now on."""
        files = {name: FILES[name] for name in ("environments/base.yml",)}
        way = {"dev": "", "stage": "upstream: dev\n" + VERIFY, "prod": "upstream: stage\n" + VERIFY + gate}
        for name, more in way.items():
            files[f"environments/{name}.yml"] = f"extends: base\n{more}" + AIRFLOW % (self.airflow_url, name)
        files["environments/roles.yml"], files["environments/CODEOWNERS"] = roles, owners
        if not hasattr(self, "platform"):
            self.platform = self.company.checkout("root", self.folder / "platform")
        self.platform.commit("policy", **files)
        self.platform.push(PLATFORM, "main")

    def begin(self, gate: str = GATE) -> None:
        """Two projects with their first commit, members, and protected tags."""
        self.company.project(PLATFORM, visibility="public")
        self.policy(gate)
        project = self.company.project(PROJECT, **PEOPLE)
        project.protectedtags.create({"name": "v*", "create_access_level": MAINTAINER})
        self.checkout = Checkout(self.folder / "ann", self.remote("ann"), "ann")
        empty = self.company.checkout("mia", self.folder / "mia")
        empty.commit("begin", readme="digits\n")
        empty.push(PROJECT, "main")
        self.checkout.git("fetch", "--quiet", self.checkout.remote.project(PROJECT), "main")
        self.checkout.git("reset", "--quiet", "--hard", "FETCH_HEAD")

    def change(self, branch: str, title: str, **files: str) -> Any:
        """A merge request of ann."""
        self.checkout.git("fetch", "--quiet", self.checkout.remote.project(PROJECT), "main")
        self.checkout.git("checkout", "--quiet", "-B", branch, "FETCH_HEAD")
        self.push(branch, title, **files)
        wanted = {"source_branch": branch, "target_branch": "main", "title": title}
        return self.of("ann").mergerequests.create(wanted)

    def push(self, branch: str, message: str, by: str = "ann", **files: str) -> str:
        """One more commit on the branch."""
        commit = self.checkout.commit(message, **files)
        self.checkout.push_as(self.remote(by), PROJECT, f"refs/heads/{branch}")
        return commit

    def approve(self, request: Any, name: str) -> None:
        self.of(name).mergerequests.get(request.iid, lazy=True).approve()

    def withdraw(self, request: Any, name: str) -> None:
        self.of(name).mergerequests.get(request.iid, lazy=True).unapprove()

    def merge(self, request: Any, by: str = "mia") -> str:
        """The commit that main has now."""
        self.of(by).mergerequests.get(request.iid).merge()
        return str(self.project.commits.get("main").id)

    def tag(self, name: str, by: str = "dev", ref: str = "main") -> None:
        self.of(by).tags.create({"tag_name": name, "ref": ref, "message": f"Release {name}"})

    # -- what jobs do

    @contextmanager
    def job(
        self, user: str, ref: str = "main", *, tag: bool = False, request: Any = None, **more: str
    ) -> Iterator[Job]:
        """A job in a pipeline that the user began; commands of the `with` run in it."""
        operator = self.remote("root")
        clone = self.folder / f"job-{len(list(self.folder.glob('job-*')))}"
        operator.git(self.folder, "clone", "--quiet", "--branch", ref, operator.project(PROJECT), str(clone))
        sha = operator.git(clone, "rev-parse", "HEAD")
        shutil.copytree(self.platform.folder / "environments", clone / ".windlass/platform/environments")
        project, url = self.project, self.company.standin.url
        about = {"ref": ref, "sha": sha, "tag": tag, "source": "push"}
        if request is not None:
            about |= {"ref": f"refs/merge-requests/{request.iid}/head", "source": "merge_request_event"}
        with ExitStack() as ended:
            started = ended.enter_context(self.company.pipeline(project, user, about))
            self.tokens.append(started.token)
            protected = tag or ref == "main"
            variables = {
                "CI": "true",
                "GITLAB_CI": "true",
                "CI_SERVER_URL": url,
                "CI_API_V4_URL": f"{url}/api/v4",
                "CI_PROJECT_ID": str(project.id),
                "CI_PROJECT_PATH": PROJECT,
                "CI_PROJECT_NAME": "digits",
                "CI_PROJECT_DIR": str(clone),
                "CI_PROJECT_URL": f"{url}/{PROJECT}",
                "CI_DEFAULT_BRANCH": "main",
                "CI_COMMIT_SHA": sha,
                "CI_COMMIT_REF_NAME": ref,
                "CI_COMMIT_REF_PROTECTED": str(protected).lower(),
                "CI_PIPELINE_ID": str(started.pipeline["id"]),
                "CI_JOB_URL": f"{url}/{PROJECT}/-/jobs/{started.pipeline['id']}",
                "CI_JOB_TOKEN": started.token,
                "GITLAB_USER_LOGIN": user,
                "WINDLASS_PLATFORM": PLATFORM,
                "WINDLASS_PROJECT": "digits",
            }
            if tag:
                variables["CI_COMMIT_TAG"] = ref
            elif request is None:
                variables["CI_COMMIT_BRANCH"] = ref
            else:
                variables["CI_MERGE_REQUEST_IID"] = str(request.iid)
                variables["CI_MERGE_REQUEST_PROJECT_ID"] = str(project.id)
            patch = ended.enter_context(self.monkeypatch.context())
            for name, value in {**variables, **more}.items():
                patch.setenv(name, value)
            patch.chdir(clone)
            yield Job(clone, sha, started.token)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """`windlass ARGUMENTS`: exit code, standard output and standard error."""
        out, err = io.StringIO(), io.StringIO()
        with self.monkeypatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(sys, "argv", ["windlass", *arguments])
            with pytest.raises(SystemExit) as ended:
                main(lambda name: self.store)
        self.said += [out.getvalue(), err.getvalue()]
        assert "Traceback" not in err.getvalue()
        return int(ended.value.code or 0), out.getvalue(), err.getvalue()

    def must(self, *arguments: str) -> str:
        code, out, err = self.run(*arguments)
        assert code == 0, f"{arguments}: {out}{err}"
        return out

    def deliver(self, by: str = "mia", **more: str) -> str:
        """main's pipeline: the release is live in dev and stage; its commit."""
        with self.job(by, **more) as job:
            for command in (["train"], ["release"], ["promote", "--to", "dev"], ["promote", "--to", "stage"]):
                self.must(*command)
            return job.commit

    def promote(self, tag: str, by: str = "dev", **more: str) -> tuple[int, str, str]:
        """The tag's pipeline."""
        with self.job(by, tag, tag=True, **more):
            return self.run("promote", "--to", "prod")

    # -- what is there then

    def live(self, environment: str = "prod") -> State | None:
        return load_current(self.store, environment).state

    def shown(self, environment: str = "prod") -> set[str]:
        """The versions that the environment's Airflow shows."""
        return {one["bundle_version"] for one in self.airflow._dags(environment)}

    def kept(self, environment: str = "prod") -> dict[str, bytes]:
        """All that S3 has of the environment."""
        return {key: value for key, value in self.store.objects.items() if key.startswith(f"{environment}/")}

    def told(self) -> dict[str, Any]:
        """All that GitLab was told about deliveries, as numbers and names."""
        project = self.project
        releases = project.releases.list(get_all=True)
        shas = {one.sha for one in project.deployments.list(get_all=True)}
        statuses = [
            (sha, one.name) for sha in shas for one in project.commits.get(sha).statuses.list(get_all=True)
            if one.name.startswith("windlass/")
        ]  # fmt: skip
        return {
            "deployments": sorted(
                (one.environment["name"], one.sha) for one in project.deployments.list(get_all=True)
            ),
            "releases": sorted((one.tag_name, len(one.assets["links"])) for one in releases),
            "statuses": sorted(statuses),
            "files": sorted(
                file.file_name for one in project.packages.list(get_all=True)
                for file in one.package_files.list(get_all=True)
            ),
        }  # fmt: skip

    def notes(self, request: Any, by: str = "bot") -> list[str]:
        """What somebody wrote in the merge request."""
        every = self.project.mergerequests.get(request.iid, lazy=True).notes.list(get_all=True)
        return [one.body for one in every if one.author["username"] == by and not one.system]

    def decision(self) -> tuple[str, dict[str, Any]]:
        """The key and the content of the decision that prod's last deployment names."""
        live = self.live()
        assert live
        digest = live.deployment.gate
        (key,) = [key for key in self.store.objects if key.endswith(f"/gate/{digest}.json")]
        return key, json.loads(self.store.objects[key])


@contextmanager
def told_story(folder: Path, monkeypatch: pytest.MonkeyPatch, faults: Callable[[], Faults] = Faults) -> Iterator[Story]:
    """A story that has not begun."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "CI", "GIT", "WINDLASS"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("S3", "http://127.0.0.1:1")
    monkeypatch.setenv("PASSWORD", "not-to-be-printed")
    monkeypatch.setenv("USER", "runner")
    standin = Standin(folder / "gitlab", f"http://127.0.0.1:{ports.choose(set())}", TOKEN, faults())
    stop = serve(standin)
    store = MemoryStore()
    airflow = AirflowServer(store)
    try:
        with http_stub(airflow.answer) as stub:
            yield Story(Company(standin), store, airflow, folder, monkeypatch, stub.url)
    finally:
        stop()


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """The company before its first merge request."""
    with told_story(tmp_path, monkeypatch) as found:
        found.begin()
        yield found
