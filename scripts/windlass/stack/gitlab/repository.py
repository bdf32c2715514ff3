"""A project's bare repository: made, read, tagged and merged with git alone, whatever the user's git settings are."""

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

HOOK = """#!/bin/sh
# WINDLASS_REFUSED: why nothing of this push is taken; WINDLASS_NO_FORCE: branches that only move forward.
if [ -n "$WINDLASS_REFUSED" ]; then echo "GitLab: $WINDLASS_REFUSED" >&2; exit 1; fi
while read -r old new ref; do
  case " $WINDLASS_NO_FORCE " in *" $ref "*) ;; *) continue ;; esac
  case "$old" in *[!0]*) ;; *) continue ;; esac
  git merge-base --is-ancestor "$old" "$new" && continue
  echo "GitLab: You are not allowed to force push code to a protected branch on this project." >&2
  exit 1
done
"""
"""The hook through which the server's judgement reaches git, and from there the person who pushes."""


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

    def git(
        self,
        *arguments: str,
        cwd: Path | None = None,
        author: dict[str, str] | None = None,
        more: dict[str, str] | None = None,
    ) -> str:
        """What git prints, without the last newline; GitRefused when it fails.

        `author` (name, email) stands for who does it, `more` goes into the process environment.
        """
        return self.read(*arguments, cwd=cwd, author=author, more=more).decode(errors="replace").rstrip("\n")

    def read(
        self,
        *arguments: str,
        cwd: Path | None = None,
        author: dict[str, str] | None = None,
        more: dict[str, str] | None = None,
    ) -> bytes:
        """What git prints, byte for byte."""
        given = (author or {}).items()
        who = {f"GIT_{role}_{name.upper()}": value for role in ("AUTHOR", "COMMITTER") for name, value in given}
        done = subprocess.run(
            ["git", *arguments],
            cwd=cwd or self.folder,
            env=git_environment(self.folder.parent) | who | (more or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
        )
        if done.returncode:
            lines = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
            raise GitRefused(lines[-1] if lines else f"git {arguments[0]} exited with {done.returncode}")
        return done.stdout

    def create(self, default_branch: str) -> None:
        """Makes the empty repository; partial clones, which gitlab-ci-local uses for includes, are allowed."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--bare", f"--initial-branch={default_branch}", ".")
        for name in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant", "http.receivepack"):
            self.git("config", name, "true")
        self.git("config", "gc.auto", "0")
        self.guard()

    def guard(self) -> None:
        """Has git ask the stand-in's hook before it takes a push."""
        hook = self.folder / "hooks" / "pre-receive"
        if not hook.exists() or hook.read_text() != HOOK:
            hook.parent.mkdir(exist_ok=True)
            hook.write_text(HOOK)
            hook.chmod(0o755)

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

    def merge(self, source: str, target: str, message: str, author: dict[str, str] | None = None) -> str:
        """The merge commit that now heads branch `target`; GitRefused on a conflict or when the branch moved."""
        before = self.git("rev-parse", "--verify", f"refs/heads/{target}")
        with tempfile.TemporaryDirectory(prefix="merge-") as folder:
            tree = Path(folder) / "tree"
            self.git("worktree", "add", "--quiet", "--detach", str(tree), before)
            try:
                how = ("--no-ff", "--allow-unrelated-histories")  # a rehearsal's first main is an empty commit
                self.git("merge", "--quiet", *how, "-m", message, source, cwd=tree, author=author)
                merged = self.git("rev-parse", "HEAD", cwd=tree)
            finally:
                self.git("worktree", "remove", "--force", str(tree))
        self.git("update-ref", f"refs/heads/{target}", merged, before)
        return merged

    def squash(self, source: str, target: str, message: str, author: dict[str, str] | None = None) -> str:
        """One commit, on no branch yet, with all that `source` brings to `target`."""
        base = self.git("merge-base", source, target)
        return self.git("commit-tree", f"{source}^{{tree}}", "-p", base, "-m", message, author=author)

    def commits(self, source: str, without: str | None) -> list[str]:
        """The commits of `source` that `without` does not have, newest first."""
        return self.git("rev-list", source, *([f"^{without}"] if without else []), "--").split()

    def changes(self, base: str, head: str) -> list[dict[str, object]]:
        """The files that differ between two commits, with their diffs, in the API's words."""
        found: list[dict[str, object]] = []
        lines = self.git("diff", "--no-color", "--no-renames", "--raw", "-z", "--abbrev=40", base, head).split("\0")
        for entry, path in zip(lines[::2], lines[1::2], strict=False):
            before, after, _, _, kind = entry.lstrip(":").split(" ")
            diff = self.git("diff", "--no-color", "--no-renames", base, head, "--", path)
            start = diff.find("@@")
            found.append(
                {
                    "old_path": path,
                    "new_path": path,
                    "a_mode": before,
                    "b_mode": after,
                    "diff": diff[start:] + "\n" if start >= 0 else "",
                    "new_file": kind == "A",
                    "renamed_file": False,
                    "deleted_file": kind == "D",
                    "generated_file": False,
                }
            )
        return found

    def tag(self, name: str, commit: str, message: str, author: dict[str, str] | None = None) -> None:
        """Makes a tag on `commit`: annotated when there is a message. An existing tag is refused."""
        self.git("check-ref-format", f"refs/tags/{name}")
        if message:
            self.git("tag", "--annotate", "--message", message, "--", name, commit, author=author)
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
