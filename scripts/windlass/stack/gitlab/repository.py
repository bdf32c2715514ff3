"""A project's bare repository: made, read, tagged and merged with git alone, whatever the user's git settings are."""

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path


class GitRefused(Exception):
    """git answered with an error; the message is its last line."""


def git_environment(home: Path) -> dict[str, str]:
    """A process environment in which git reads no settings but the repository's own."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "Operator",
        "GIT_AUTHOR_EMAIL": "operator@windlass.local",
        "GIT_COMMITTER_NAME": "Operator",
        "GIT_COMMITTER_EMAIL": "operator@windlass.local",
    }


@dataclass(frozen=True)
class Repository:
    """A bare repository in a folder named by the project's number: no part of a URL ever becomes a path."""

    folder: Path

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        """What git prints, without the last newline; GitRefused when it fails."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd or self.folder,
            env=git_environment(self.folder.parent),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            raise GitRefused(lines[-1] if lines else f"git {arguments[0]} exited with {done.returncode}")
        return done.stdout.rstrip("\n")

    def create(self, default_branch: str) -> None:
        """Makes the empty repository; partial clones, which gitlab-ci-local uses for includes, are allowed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--bare", f"--initial-branch={default_branch}", ".")
        for name in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant", "http.receivepack"):
            self.git("config", name, "true")
        self.git("config", "gc.auto", "0")

    def commit(self, revision: str) -> str | None:
        """The full hash of the commit that `revision` (branch, tag or hash) names, or None."""
        for name in (f"refs/heads/{revision}", f"refs/tags/{revision}", revision):
            if name.startswith("-"):
                continue
            try:
                return self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
            except GitRefused:
                continue
        return None

    def contains(self, ancestor: str, commit: str) -> bool:
        """Whether `ancestor` is `commit` or one of its ancestors."""
        try:
            self.git("merge-base", "--is-ancestor", ancestor, commit)
        except GitRefused:
            return False
        return True

    def references(self, kind: str) -> dict[str, str]:
        """Name -> commit of all branches ("heads") or tags ("tags")."""
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname) %(*objectname)", f"refs/{kind}")
        found = {}
        for line in lines.splitlines():
            name, target, *peeled = line.split(" ")
            found[name.removeprefix(f"refs/{kind}/")] = peeled[0] if peeled and peeled[0] else target
        return found

    def merge(self, source: str, target: str, message: str) -> str:
        """The merge commit that now heads branch `target`; GitRefused on a conflict or when the branch moved."""
        before = self.git("rev-parse", "--verify", f"refs/heads/{target}")
        with tempfile.TemporaryDirectory(prefix="merge-") as folder:
            tree = Path(folder) / "tree"
            self.git("worktree", "add", "--quiet", "--detach", str(tree), before)
            try:
                how = ("--no-ff", "--allow-unrelated-histories")  # a rehearsal's first main is an empty commit
                self.git("merge", "--quiet", *how, "-m", message, source, cwd=tree)
                merged = self.git("rev-parse", "HEAD", cwd=tree)
            finally:
                self.git("worktree", "remove", "--force", str(tree))
        self.git("update-ref", f"refs/heads/{target}", merged, before)
        return merged

    def tag(self, name: str, commit: str, message: str) -> None:
        """Makes a tag on `commit`: annotated when there is a message. An existing tag is refused."""
        self.git("check-ref-format", f"refs/tags/{name}")
        if message:
            self.git("tag", "--annotate", "--message", message, "--", name, commit)
        else:
            self.git("tag", "--", name, commit)

    def describe(self, commit: str) -> dict[str, object]:
        """A commit in the API's words."""
        form = "%H%n%h%n%P%n%an%n%ae%n%aI%n%cn%n%ce%n%cI%n%B"
        lines = self.git("show", "--no-patch", f"--format={form}", commit).split("\n")
        sha, short, parents, author, author_mail, authored, committer, committer_mail, committed = lines[:9]
        message = "\n".join(lines[9:])
        return {
            "id": sha,
            "short_id": short,
            "parent_ids": parents.split(),
            "title": message.split("\n", 1)[0],
            "message": message,
            "author_name": author,
            "author_email": author_mail,
            "authored_date": authored,
            "committer_name": committer,
            "committer_email": committer_mail,
            "committed_date": committed,
            "created_at": committed,
        }
