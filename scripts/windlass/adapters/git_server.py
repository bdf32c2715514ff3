"""A repository on a GitLab server, fetched into a folder of its own: what it says does not depend on any checkout.

The token goes to git through an environment variable of its process, never on a command line or into a file.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from windlass.spec.errors import DeliveryError, ServiceError, TransientError, WindlassError
from windlass.spec.evidence import Commit

_HELPER = '!f() { echo "username=$WINDLASS_GIT_USER"; echo "password=$WINDLASS_GIT_TOKEN"; }; f'
_SETTINGS = (
    "-c", "core.hooksPath=/dev/null",
    "-c", "credential.helper=",
    "-c", f"credential.helper={_HELPER}",
    "-c", "http.followRedirects=false",
    "-c", "protocol.ext.allow=never",
    "-c", "gc.auto=0",
    "-c", "http.lowSpeedLimit=1",
    "-c", "http.lowSpeedTime=60",
)  # fmt: skip
_SECONDS = 300
PAUSES = (0.2, 1.0, 4.0)
"""Seconds between the tries of one call, as for GitLab's API."""
_REFUSED = re.compile(r"(?i)authentication failed|access denied|error: 40[13]\b|not found|could not read Username")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_USAGE = 129
"""How git ends that does not know an option."""
_LARGEST_FILE = 1_000_000
_MOST_FILES = 500


@dataclass(frozen=True)
class Access:
    """Where a server keeps a repository and with what it is fetched."""

    server: str
    path: str
    user: str = "gitlab-ci-token"
    token: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """The address for git; GitLab redirects one without `.git`, and redirects are not followed."""
        return f"{self.server.rstrip('/')}/{self.path.strip('/').removesuffix('.git')}.git"


class ServerRepository:
    """The repository as the server has it at this moment; everything is asked of the fetched copy."""

    def __init__(self, access: Access, folder: Path) -> None:
        self.access = access
        self._folder = folder

    def default_branch(self) -> str:
        """The branch that the server's HEAD names."""
        told = self._remote("ls-remote", "--symref", self.access.url, "HEAD")
        match = re.search(r"^ref: refs/heads/(\S+)\tHEAD$", told, re.M)
        if match is None:
            raise ServiceError(f"{self.access.path} has no default branch on {self.access.server}")
        return match[1]

    def fetch(self, branch: str, tag: str | None = None, *, history: bool = True, ref: str | None = None) -> str:
        """Brings the branch, and the tag and the other `ref` where the server has them; the branch's commit.

        Without `history` only its newest commit comes; with it all commits, and no content of files.
        """
        self._git("init", "--quiet", "--bare", ".")
        self._git("config", "remote.origin.url", self.access.url)
        depth = ("--filter=blob:none",) if history else ("--depth=1",)
        self._remote("fetch", "--quiet", "--no-tags", *depth, "origin", f"+refs/heads/{branch}:refs/heads/{branch}")
        for more in (f"refs/tags/{tag}" if tag is not None else None, ref):
            if more and self._remote("ls-remote", "origin", more):
                self._remote("fetch", "--quiet", "--no-tags", *depth, "origin", f"+{more}:{more}")
        head = self.commit_of(f"refs/heads/{branch}")
        if head is None:
            raise ServiceError(f"{self.access.path} has no branch {branch} on {self.access.server}")
        return head

    def commit_of(self, name: str) -> str | None:
        """The commit that a branch, a tag or a hash names; None where there is none."""
        try:
            return self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").strip()
        except _GitRefused:
            return None

    def contains(self, branch: str, commit: str) -> bool:
        """Whether the commit is on the branch."""
        if not _SHA.fullmatch(commit) or self.commit_of(commit) is None:
            return False
        try:
            self._git("merge-base", "--is-ancestor", commit, f"refs/heads/{branch}")
        except _GitRefused:
            return False
        return True

    def brought(self, live: str | None, commit: str) -> list[Commit]:
        """The commits of the branch's own line that `commit` has and `live` has not, oldest first.

        Both are on the branch. Without `live` it is the commit alone.
        """
        if live is None:
            return [self._commit(commit)]
        told = self._git("rev-list", "--first-parent", "--reverse", commit, f"^{live}")
        return [self._commit(sha) for sha in told.split()]

    def beside(self, live: str, commit: Commit) -> list[Commit]:
        """The commits that a merge brought to its first parent, along the line of each other parent; not `live`'s."""
        if len(commit.parents) < 2:
            return []
        first, *others = commit.parents
        lines = [self._git("rev-list", "--first-parent", "--reverse", one, f"^{first}", f"^{live}") for one in others]
        return [self._commit(sha) for sha in dict.fromkeys("".join(lines).split())]

    def by_hand(self, commit: Commit) -> list[str] | None:
        """The paths that a merge of two commits holds otherwise than git merges them; None where this git cannot tell.

        A git before 2.38 cannot, and none can of a merge of more than two.
        """
        tree = self._merged(*commit.parents) if len(commit.parents) == 2 else None
        return self._differing(tree, commit.sha) if tree else None

    def changed_paths(self, sha: str, first: str | None = None) -> list[str]:
        """The paths that the commits of one line from `first` to `sha` change together; without it the one commit.

        A merge is compared with its first parent. A file that moved counts under both names.
        """
        parent = self.commit_of(f"{first or sha}^1")
        if parent:
            return self._differing(parent, sha)
        if first in (None, sha):
            return self._differing("--root", "--no-commit-id", sha)
        return self._all_paths(sha)

    def proposed_paths(self, branch: str, head: str) -> list[str]:
        """The paths that a merge of `head` into the branch changes there.

        Where git cannot merge them, or is too old to try, what `head` changes since it left the branch, wherever that
        was; all of its paths where it never was there.
        """
        if tree := self._merged(f"refs/heads/{branch}", head, is_clean=True):
            return self._differing(f"refs/heads/{branch}", tree)
        try:
            bases = self._git("merge-base", "--all", f"refs/heads/{branch}", head).split()
        except _GitRefused:
            return self._all_paths(head)
        return sorted({path for base in bases for path in self._differing(base, head)})

    def is_ahead(self, branch: str, head: str) -> bool:
        """Whether `head` has all that the branch has: it could become the branch as it is."""
        try:
            self._git("merge-base", "--is-ancestor", f"refs/heads/{branch}", head)
        except _GitRefused:
            return False
        return True

    def _merged(self, one: str, other: str, *, is_clean: bool = False) -> str | None:
        """The tree that git makes of two commits; None where it cannot, or, if it is to be clean, has conflicts."""
        how = ("--write-tree", "--no-messages", "--allow-unrelated-histories")
        try:
            told = self._remote("merge-tree", *how, one, other, accepted=(0, 1)).splitlines()  # it may have to fetch
        except _GitRefused:
            return None
        return told[0] if told and not (is_clean and len(told) > 1) else None

    def _differing(self, *between: str) -> list[str]:
        told = self._git("diff-tree", "-r", "-z", "--no-renames", "--name-only", *between)
        return sorted({path for path in told.split("\0") if path})

    def _all_paths(self, commit: str) -> list[str]:
        told = self._git("ls-tree", "-r", "-z", "--name-only", commit)
        return sorted({path for path in told.split("\0") if path})

    def files(self, commit: str, folder: str, wanted: Callable[[str], bool]) -> dict[str, bytes]:
        """The `wanted` files that lie in `folder` itself at `commit`; one that is a link is a DeliveryError."""
        told = self._git("ls-tree", "-z", "-l", commit, f"{folder}/")
        found: dict[str, bytes] = {}
        for line in filter(None, told.split("\0")):
            meta, _, path = line.partition("\t")
            mode, kind, name, size = meta.split()
            if kind == "tree" or not wanted(path):
                continue
            if kind != "blob" or mode == "120000":
                raise DeliveryError(f"{path} of {self.access.path} is a link; put the file itself there")
            if int(size) > _LARGEST_FILE or len(found) >= _MOST_FILES:
                raise DeliveryError(f"{path} of {self.access.path} is too large, or {folder}/ has too many files")
            found[path] = self._run("cat-file", "blob", name).stdout
        return found

    def _commit(self, sha: str) -> Commit:
        told = self._git("show", "--no-patch", "--format=%H%x00%P%x00%s", sha)
        name, parents, title = told.rstrip("\n").split("\0")
        return Commit(sha=name, title=title[:200], parents=parents.split())

    def _remote(self, *arguments: str, accepted: tuple[int, ...] = (0,)) -> str:
        """What git prints about the server; ServiceError where it refuses, TransientError where it is away.

        _GitRefused where this git does not know the command.
        """
        what = f"{self.access.path} on {self.access.server}"
        for pause in (*PAUSES, None):
            try:
                return self._run(*arguments, accepted=accepted).stdout.decode(errors="backslashreplace")
            except _GitRefused as refused:
                if refused.code == _USAGE:
                    raise
                last = str(refused)
                if _REFUSED.search(last):
                    raise ServiceError(
                        f"git may not read {what} with this token ({last}); let this project in below Settings, CI/CD, "
                        "Job token permissions of that one, or set WINDLASS_GITLAB_TOKEN"
                    ) from refused
                if pause is None:
                    raise TransientError(f"{what} does not answer git ({last}); try again in a moment") from refused
            time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _git(self, *arguments: str) -> str:
        return self._run(*arguments).stdout.decode(errors="backslashreplace")

    def _run(self, *arguments: str, accepted: tuple[int, ...] = (0,)) -> "subprocess.CompletedProcess[bytes]":
        try:
            done = subprocess.run(
                ["git", *_SETTINGS, *arguments],
                cwd=self._folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except FileNotFoundError as error:
            raise WindlassError("the command 'git' is not installed; install git") from error
        except subprocess.TimeoutExpired as error:
            raise TransientError(f"git {arguments[0]} of {self.access.path} took {_SECONDS} seconds") from error
        if done.returncode not in accepted:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            said = self._harmless(lines[-1]) if lines else f"git {arguments[0]}: {done.returncode}"
            raise _GitRefused(said, done.returncode)
        return done

    def _harmless(self, text: str) -> str:
        return text.replace(self.access.token, "***") if self.access.token else text

    def _environment(self) -> Mapping[str, str]:
        """No setting of the machine or of a repository around reaches this git; who vouches for the server does."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        authority = os.environ.get("GIT_SSL_CAINFO") or os.environ.get("CI_SERVER_TLS_CA_FILE")
        trusted = {"GIT_SSL_CAINFO": authority} if authority else {}
        return (
            kept
            | trusted
            | {
                "LC_ALL": "C.UTF-8",
                "HOME": str(self._folder),
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_DIR": str(self._folder),
                "GIT_TERMINAL_PROMPT": "0",
                "GIT_NO_REPLACE_OBJECTS": "1",
                "WINDLASS_GIT_USER": self.access.user,
                "WINDLASS_GIT_TOKEN": self.access.token,
            }
        )


class _GitRefused(Exception):
    """git ended with an error; the message is its last line."""

    def __init__(self, said: str, code: int) -> None:
        super().__init__(said)
        self.code = code


@contextmanager
def on_server(access: Access) -> Iterator[ServerRepository]:
    """The repository, whose copy is removed again at the end."""
    folder = Path(tempfile.mkdtemp(prefix="windlass-gate-"))
    try:
        yield ServerRepository(access, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
