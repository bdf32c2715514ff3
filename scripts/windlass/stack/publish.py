"""Repositories on their way to the GitLab stand-in: git with the operator's token, which no command line ever shows."""

import base64
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from windlass.spec.errors import ServiceError, WindlassError

WHO = {
    "GIT_AUTHOR_NAME": "windlass",
    "GIT_AUTHOR_EMAIL": "windlass@windlass.local",
    "GIT_COMMITTER_NAME": "windlass",
    "GIT_COMMITTER_EMAIL": "windlass@windlass.local",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
}
"""A fixed author and time: the same files make the same commit, and are pushed once."""


Env = dict[str, str]


class Rejected(ServiceError):
    """The remote branch has commits that the pushed one does not have."""


@dataclass(frozen=True)
class Remote:
    """The stand-in as git sees it."""

    url: str
    token: str = field(repr=False)
    user: str = "root"

    def project(self, path: str) -> str:
        """The URL of a project's repository; without credentials."""
        return f"{self.url}/{path}.git"

    def git(self, folder: Path, *arguments: str, check: bool = True, text: str = "", env: Env | None = None) -> str:
        """What git prints in `folder`; ServiceError with git's own words when it fails and `check` is set."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=os.environ | self._settings() | (env or {}),
            input=text,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if done.returncode and check:
            words = done.stderr.strip()
            kind = Rejected if "[rejected]" in words or "non-fast-forward" in words else ServiceError
            raise kind(f"git {arguments[0]} in {folder} failed: {_reason(words)}")
        return done.stdout.rstrip("\n")

    def _settings(self) -> dict[str, str]:
        secret = base64.b64encode(f"{self.user}:{self.token}".encode()).decode()
        settings = {
            f"http.{self.url}/.extraHeader": f"Authorization: Basic {secret}",
            f"http.{self.url}/.proxy": "",
            "advice.detachedHead": "false",
        }
        variables = {"GIT_CONFIG_COUNT": str(len(settings)), "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
        for number, (name, value) in enumerate(settings.items()):
            variables |= {f"GIT_CONFIG_KEY_{number}": name, f"GIT_CONFIG_VALUE_{number}": value}
        return variables


def _reason(words: str) -> str:
    """Why git failed: what the server says to a push that it does not take, else git's last line."""
    lines = words.splitlines() or ["no message"]
    told = [line.removeprefix("remote:").strip() for line in lines if line.startswith("remote: GitLab:")]
    return told[0] if told else lines[-1]


def platform_checkout() -> Path:
    """The checkout that this windlass runs from."""
    checkout = Path(__file__).resolve().parents[3]
    if not (checkout / "ci" / "model.yml").exists():
        raise WindlassError(
            "this windlass does not run from a checkout of the platform repository, so there is no ci/model.yml to "
            "include: give the checkout with --platform"
        )
    return checkout


def push_snapshot(remote: Remote, checkout: Path, scratch: Path, project: str) -> str:
    """The commit, now on `project`'s main, of all files of `checkout` that git does not ignore.

    It is made in the bare repository `scratch`: the checkout's own index, objects and branches stay untouched.
    """
    if not scratch.exists():
        remote.git(checkout, "init", "--quiet", "--bare", str(scratch))
    listed = remote.git(checkout, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = [name for name in listed.split("\0") if name and os.path.lexists(checkout / name)]
    outside = {"GIT_DIR": str(scratch), "GIT_WORK_TREE": str(checkout)}
    remote.git(checkout, "read-tree", "--empty", env=outside)
    paths = ("--pathspec-from-file=-", "--pathspec-file-nul")
    literal = outside | {"GIT_LITERAL_PATHSPECS": "1"}
    remote.git(checkout, "add", "--force", *paths, text="\0".join(names), env=literal)
    tree = remote.git(checkout, "write-tree", env=outside)
    commit = remote.git(checkout, "commit-tree", "-m", "Snapshot of a working copy", tree, env=outside | WHO)
    remote.git(
        checkout, "push", "--quiet", "--force", remote.project(project), f"{commit}:refs/heads/main", env=outside
    )
    return commit


def push_versions(remote: Remote, checkout: Path, project: str) -> int:
    """How many tags v* `project` has of `checkout`: none from a shallow clone, which lacks what they are made of."""
    tags = remote.git(checkout, "for-each-ref", "--format=%(refname)", "refs/tags/v*").split()
    if not tags or remote.git(checkout, "rev-parse", "--is-shallow-repository") == "true":
        return 0
    url, versions = remote.project(project), "refs/tags/v*:refs/tags/v*"
    remote.git(checkout, "push", "--quiet", "--no-verify", "--force", url, versions)
    return len(tags)


def push_own_version(remote: Remote, checkout: Path, scratch: Path, project: str, commit: str) -> None:
    """Tags the snapshot `commit` as the version that the CI files of `checkout` say they are, unless that is main.

    Whoever releases a version rehearses it before there is the tag; a shallow clone lacks the tag that it was made of.
    """
    base = checkout / "ci/base.yml"
    found = re.search(
        r"^    platform_ref:\n.*\n      default: (v\S+)$", base.read_text() if base.exists() else "", re.M
    )
    if found:
        remote.git(scratch, "push", "--quiet", "--force", remote.project(project), f"{commit}:refs/tags/{found[1]}")


def push_empty_main(remote: Remote, scratch: Path, project: str) -> None:
    """Gives an empty project its first, empty commit: a merge request needs a branch to go to."""
    tree = remote.git(scratch, "hash-object", "-t", "tree", "-w", "--stdin")
    commit = remote.git(scratch, "commit-tree", "-m", "Begin", tree, env=WHO)
    push(remote, scratch, project, commit, "main")


def push(remote: Remote, folder: Path, project: str, commit: str, branch: str, force: bool = False) -> None:
    """Makes `commit` of the repository in `folder` the head of `branch`; Rejected when that would lose commits."""
    how = ["--force"] if force else []
    url = remote.project(project)
    remote.git(folder, "push", "--quiet", "--no-verify", *how, url, f"{commit}:refs/heads/{branch}")


def clone(remote: Remote, project: str, ref: str, folder: Path) -> str:
    """The commit of a fresh clone of `ref` in `folder`: a branch, a tag, or a commit that may be on no branch."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    if re.fullmatch("[0-9a-f]{40,64}", ref):
        remote.git(folder.parent, "init", "--quiet", folder.name)
        remote.git(folder, "remote", "add", "origin", remote.project(project))
        remote.git(folder, "fetch", "--quiet", "origin", ref)
        remote.git(folder, "checkout", "--quiet", "-B", "main", "FETCH_HEAD")
        remote.git(folder, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")  # as after a clone
    else:
        remote.git(folder.parent, "clone", "--quiet", "--branch", ref, remote.project(project), folder.name)
    for name, value in {"user.name": "Operator", "user.email": "operator@windlass.local"}.items():
        remote.git(folder, "config", name, value)
    return remote.git(folder, "rev-parse", "HEAD")
