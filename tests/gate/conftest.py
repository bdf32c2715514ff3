"""A project and a platform on a GitLab, dev with a release of each commit, and prod with a gate."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.delivery.conftest import World
from tests.gate.server import JOB, PRIVATE, FakeGitlab, Review, gitlab
from windlass.cli.context import environments
from windlass.cli.gating import gatekeeper
from windlass.cli.main import main
from windlass.delivery.gate.question import Question
from windlass.delivery.release.archive import Archive
from windlass.spec.decision import Decision
from windlass.spec.evidence import Override, Verified

BASE = "s3: {code: code, models: models, data: data, endpoint: 'http://127.0.0.1:1'}\n"
GATE = """\
gate:
  approvals: 1
  roles: {data-engineer: 1}
  critical: {approvals: 2, roles: {manager: 1}}
  tag: {protected: true, roles: [developer]}
  override: {people: 2, roles: [manager, developer], for: 4 hours}
"""
USUAL = GATE.replace("  critical: {approvals: 2, roles: {manager: 1}}\n", "")
"""The same for releases of which nobody knows whether they are critical."""
ROLES = """\
data-engineer: {users: [bob, ann], groups: [platform/engineers]}
manager: {users: [mia]}
developer: {users: [dev]}
"""
OWNERS = "[Models] @@data-engineer\n/models/\n"
RELEASE = "f" * 64

Run = Callable[..., tuple[int, str, str]]


@dataclass
class Scene:
    """The checkout, the server, and the buckets."""

    gitlab: FakeGitlab
    checkout: Path
    platform: Path
    monkeypatch: pytest.MonkeyPatch
    world: World = field(default_factory=World)
    live: str | None = None

    def merge(
        self, author: str = "ann", path: str = "pipelines/a.yml", *approvers: str, iid: int | None = None
    ) -> Review:
        """A merge request of `author` that changes `path`, approved by `approvers`, merged and pushed."""
        number = iid or len(self.gitlab.reviews) + 1
        self.git("checkout", "-q", "-b", f"change-{number}")
        file = self.checkout / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"change {number}\n")
        head = self.commit(f"change {number}")
        review = Review(number, author, "", head, versions=["2026-11-22T10:00:00.000Z"])
        for approver in approvers:
            self.gitlab.approve(review, approver)
        self.git("checkout", "-q", "main")
        self.git("merge", "-q", "--no-ff", "-m", f"Merge !{number}", f"change-{number}")
        review.commit = self.head
        self.push()
        self.gitlab.reviews.append(review)
        return review

    def commit(self, message: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.head

    def push(self, what: str = "main") -> None:
        self.git("push", "-q", "--force", str(self.gitlab.bare("ocr/digits")), what)

    def tag(self, name: str, by: str = "dev", commit: str = "HEAD", *, force: bool = False) -> None:
        """A tag that `by` pushed, whose pipeline this job is in from now on."""
        self.git("tag", *(["-f"] if force else []), "-a", "-m", name, name, commit)
        self.push(f"refs/tags/{name}")
        sha = self.git("rev-parse", f"{name}^{{commit}}")
        number = len(self.gitlab.pipelines) + 500
        self.gitlab.pipelines.append(
            {"id": number, "ref": name, "sha": sha, "source": "push", "user": {"username": by}}
        )
        self.in_job(by, name, sha, is_tag=True)

    def in_job(self, user: str, ref: str = "main", sha: str | None = None, *, is_tag: bool = False) -> None:
        """Commands run in a job that this user began."""
        self.gitlab.job = {
            "id": 7,
            "user": {"username": user},
            "ref": ref,
            "tag": is_tag,
            "commit": {"id": sha or self.head},
            "pipeline": {"id": 500, "project_id": 42},
            "web_url": f"{self.gitlab.url}/ocr/digits/-/jobs/7",
        }

    def policy(self, gate: str = GATE, roles: str = ROLES, owners: str = OWNERS) -> None:
        """What the platform's default branch says from now on."""
        folder = self.platform / "environments"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "base.yml").write_text(BASE)
        (folder / "dev.yml").write_text("extends: base\n")
        (folder / "prod.yml").write_text(f"extends: base\nupstream: dev\n{gate}")
        (folder / "roles.yml").write_text(roles)
        (folder / "CODEOWNERS").write_text(owners)
        git(self.platform, "add", "-A")
        git(self.platform, "commit", "-q", "--allow-empty", "-m", "policy")
        git(self.platform, "push", "-q", "--force", str(self.gitlab.bare("platform/windlass")), "main")

    def private(self) -> None:
        """From now on there is a token that may read all."""
        self.monkeypatch.setenv("WINDLASS_GITLAB_TOKEN", PRIVATE)

    def release(self, word: str = "one", commit: str | None = None) -> Archive:
        """The release of the commit, live in dev."""
        archive = self.world.publish(commit or self.head, {"read": word})
        self.world.promote(archive, commit or self.head, "dev")
        return archive

    def ask(self, tag: str | None = "v1", commit: str | None = None, **more: object) -> Decision:
        """What the gate of prod says of the commit."""
        found = environments(os.environ["WINDLASS_ENVIRONMENTS"])["prod"]
        gate = gatekeeper(found)
        assert gate is not None
        asked = Question("prod", "digits", RELEASE, commit or self.head, tag, self.live)
        decision = gate.ask(asked if not more else _with(asked, more))
        assert decision is not None
        return decision

    def git(self, *arguments: str) -> str:
        return git(self.checkout, *arguments)

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")


def _with(question: Question, more: dict[str, object]) -> Question:
    from dataclasses import replace

    return replace(question, **more)  # tests name its fields


def override(person: str, at: str, environment: str = "prod", release: str = RELEASE) -> Override:
    return Override(environment=environment, project="digits", release=release, person=person, reason="fire", at=at)


def passing(since: str) -> Verified:
    return Verified(environment="dev", result="pass", since=since)


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=ann", "-c", "user.email=ann@example.com", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def world() -> World:
    """The buckets alone."""
    return World()


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    for name in [name for name in os.environ if name.startswith(("AWS_", "CI", "GIT", "WINDLASS"))]:
        monkeypatch.delenv(name)
    folders = tmp_path / "checkout", tmp_path / "platform"
    with gitlab(tmp_path / "server") as server:
        for folder, path in zip(folders, ("ocr/digits", "platform/windlass"), strict=True):
            folder.mkdir()
            git(folder, "init", "-q", "-b", "main")
            server.bare(path).mkdir(parents=True)
            git(server.bare(path), "init", "-q", "--bare", "-b", "main")
            git(server.bare(path), "config", "uploadpack.allowFilter", "true")
        for name, value in {
            "GITLAB_CI": "true",
            "CI": "true",
            "CI_SERVER_URL": server.url,
            "CI_PROJECT_ID": "42",
            "CI_PROJECT_PATH": "ocr/digits",
            "CI_JOB_TOKEN": JOB,
            "CI_COMMIT_REF_PROTECTED": "true",
            "WINDLASS_PLATFORM": "platform/windlass.git",
            "WINDLASS_PROJECT": "digits",
            "USER": "ann",
        }.items():
            monkeypatch.setenv(name, value)
        found = Scene(server, *folders, monkeypatch)
        found.policy()
        monkeypatch.setenv("WINDLASS_ENVIRONMENTS", str(folders[1] / "environments"))
        found.live = found.commit("first")
        found.push()
        found.in_job("dev")
        monkeypatch.chdir(folders[0])
        yield found


@pytest.fixture
def windlass(scene: Scene, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command over the scene's store; returns its exit code, standard output and standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        scene.monkeypatch.setattr(sys, "argv", ["windlass", *arguments])
        with pytest.raises(SystemExit) as ended:
            main(lambda name: scene.world.store)
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run
