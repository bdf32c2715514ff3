"""Reads a git working tree by the `git` command; configuration that a repository brings along runs nothing here."""

import os
import re
import subprocess
from pathlib import Path

from windlass.spec.errors import WindlassError

# Settings that make git start programs or write: a hostile repository may set them in its own .git/config.
_HARMLESS = (
    "-c", "core.fsmonitor=false",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.pager=cat",
    "-c", "log.showSignature=false",
    "--no-optional-locks",
)  # fmt: skip
_SECONDS = 30


def commit(folder: Path) -> str | None:
    """The full hash of HEAD, or None outside a repository or before the first commit."""
    return _git(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")


def find_commit(folder: Path, revision: str) -> str | None:
    """The full hash of the commit that `revision` (a branch, tag or short hash) names, or None."""
    return _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")


def branch(folder: Path) -> str | None:
    """The name of the branch that is checked out, or None when HEAD stands on a commit."""
    return _git(folder, "symbolic-ref", "--short", "--quiet", "HEAD")


def tag(folder: Path) -> str | None:
    """A tag that points at HEAD (the highest version when there are several), or None."""
    tags = _git(folder, "tag", "--points-at", "HEAD", "--sort=-version:refname")
    return tags.splitlines()[0] if tags else None


def is_clean(folder: Path) -> bool:
    """Whether the tracked files are as they are committed; True outside a repository."""
    return not _git(folder, "status", "--porcelain", "--untracked-files=no")


def brought(folder: Path, before: str | None, commit: str) -> dict[str, int]:
    """Each commit that `commit` has and `before` has not, along the first parents, with when it was made (epoch).

    What a merge brought is one commit: the merge. Empty where one of the two is not known here.
    """
    only = ("--max-count=1",) if before is None else ("--max-count=10000",)
    revisions = [commit] if before is None else [commit, f"^{before}"]
    found = _git(folder, "log", "--first-parent", "--format=%H %ct", *only, "--end-of-options", *revisions, "--")
    pairs = [line.split(" ") for line in (found or "").splitlines()]
    return {made: int(seconds) for made, seconds in pairs}


def origin_name(folder: Path) -> str | None:
    """The last part of origin's address without `.git`, or None."""
    address = _git(folder, "config", "--get", "remote.origin.url")
    if not address:
        return None
    return re.split(r"[/:]", address.rstrip("/"))[-1].removesuffix(".git") or None


def origin_path(folder: Path) -> str | None:
    """The path of origin's project on its server (`group/name`), or None; addresses of folders have none."""
    address = _git(folder, "config", "--get", "remote.origin.url") or ""
    found = re.fullmatch(r"(?:\w+://[^/]+/|[^/:]+@[^/:]+:)(?P<path>[^?#]+?)(?:\.git)?/*", address)
    return found["path"].strip("/") if found else None


def _git(folder: Path, *arguments: str) -> str | None:
    """What git prints, or None when git says no."""
    environment = {**os.environ, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            ["git", *_HARMLESS, *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise WindlassError("the command 'git' is not installed; install git") from error
    except subprocess.TimeoutExpired as error:
        raise WindlassError(f"git {arguments[0]} in {folder} gave no answer within {_SECONDS} seconds") from error
    return done.stdout.strip() or None if done.returncode == 0 else None
