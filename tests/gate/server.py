"""A GitLab with real git over HTTP, and as much of its API as a gate asks: what happened is what a test says."""

import os
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import dumps
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

NUMBERS = {"ocr/digits": 42, "platform/windlass": 1}
JOB, PRIVATE = "job-token-of-this-test", "private-token-of-this-test"
_GIT = re.compile(r"/(?P<path>[\w/-]+)\.git(?P<service>/info/refs|/git-upload-pack)")


@dataclass
class Review:
    """A merge request: who did what, in the order of the notes; `approved_by` is GitLab's own list."""

    iid: int
    author: str
    commit: str
    head: str
    target: str = "main"
    state: str = "merged"
    notes: list[dict[str, Any]] = field(default_factory=list)
    approved_by: list[str] = field(default_factory=list)
    versions: list[str] = field(default_factory=list)
    commits: list[str] = field(default_factory=list)
    """Those of a merge request that was merged by fast-forward: it has no `commit` of its own then."""


@dataclass
class FakeGitlab:
    """The server. `forbidden` are parts of API paths that a private token may not ask either."""

    home: Path
    url: str = ""
    reviews: list[Review] = field(default_factory=list)
    job: dict[str, Any] = field(default_factory=dict)
    owner: str = "ann"
    members: list[str] = field(default_factory=lambda: ["ann", "bob", "eve", "mia", "dev"])
    groups: dict[str, list[str]] = field(default_factory=dict)
    protected_tags: list[str] = field(default_factory=lambda: ["v*"])
    unprotected: set[str] = field(default_factory=set)
    pipelines: list[dict[str, Any]] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)
    forbidden: tuple[str, ...] = ()
    tags_are_told: bool = False
    page: int = 3
    asked: list[str] = field(default_factory=list)
    clock: int = 0
    numbers: dict[str, int] = field(default_factory=lambda: dict(NUMBERS))
    broken: int | None = None
    """The number of the API call that is answered with 500."""

    def note(self, review: Review, body: str, actor: str, *, system: bool = True) -> None:
        """One more note, a minute later."""
        self.clock += 1
        review.notes.append(
            {
                "id": 1000 + self.clock,
                "body": body,
                "system": system,
                "author": {"username": actor},
                "created_at": f"2026-11-22T10:{self.clock:02d}:00.000Z",
            }
        )

    def approve(self, review: Review, actor: str) -> None:
        """An approval as GitLab notes it."""
        self.note(review, "approved this merge request", actor)
        review.approved_by.append(actor)

    def withdraw(self, review: Review, actor: str) -> None:
        """An approval that is taken back."""
        self.note(review, "unapproved this merge request", actor)
        review.approved_by.remove(actor)

    def push(self, review: Review, actor: str) -> None:
        """A push to the merge request's branch; approvals stay, as on the Free tier."""
        self.note(review, "added 1 commit\n\n<ul><li>abc - more</li></ul>\n\n[Compare](x)", actor)
        review.versions.append(f"2026-11-22T10:{self.clock:02d}:00.000Z")

    def bare(self, path: str) -> Path:
        """The repository of a project."""
        return self.home / f"{path}.git"

    def answer(self, path: str, query: dict[str, str], token: str | None) -> tuple[int, Any]:
        """What the API says."""
        self.asked.append(path)
        if self.broken is not None and len(self.asked) - 1 == self.broken:
            return 500, {"message": "500"}
        if token not in (JOB, PRIVATE):
            return 401, {"message": "401 Unauthorized"}
        if path == "/job":
            return (200, self.job) if token == JOB and self.job else (404, {"message": "404"})
        if path == "/user":
            return (200, {"username": self.owner}) if token == PRIVATE else (401, {"message": "401"})
        only = ("/approvals", "/members", "/protected_tags", "/versions", "/pipelines", "/branches")
        if (token == JOB and any(part in path for part in only)) or any(part in path for part in self.forbidden):
            return 403, {"message": "403 Forbidden"}
        found = self._resource(path, query)
        return (404, {"message": "404 Not found"}) if found is None else (200, found)

    def _resource(self, path: str, query: dict[str, str]) -> Any:
        if match := re.fullmatch(r"/groups/([^/]+)/members/all", path):
            return self._users(self.groups.get(unquote(match[1]), []))
        match = re.fullmatch(r"/projects/([^/]+)(/.*)?", path)
        if match is None:
            return None
        project, rest = unquote(match[1]), match[2] or ""
        if project not in ("42", "1", *self.numbers):
            return None
        if not rest:
            return {"id": self.numbers[project]} if project in self.numbers else None
        if rest == "/repository/branches":
            name = next((name for name, number in self.numbers.items() if project in (name, str(number))), "")
            return [{"name": "main-2", "protected": False}, {"name": "main", "protected": name not in self.unprotected}]
        if rest == "/repository/tags" and self.tags_are_told:
            return [{"name": "v1-2", "protected": False}, {"name": "v1", "protected": bool(self.protected_tags)}]
        if project in ("1", "platform/windlass"):
            return None
        if rest == "/members/all":
            return self._users(self.members)
        if rest == "/protected_tags":
            return [{"name": name} for name in self.protected_tags]
        if rest == "/pipelines":
            return [one for one in self.pipelines if (one["ref"], one["sha"]) == (query["ref"], query["sha"])]
        if match := re.fullmatch(r"/pipelines/(\d+)", rest):
            return next((one for one in self.pipelines if one["id"] == int(match[1])), None)
        if match := re.fullmatch(r"/repository/commits/(\w+)/merge_requests", rest):
            return [self._shown(one) for one in self.reviews if match[1] in (one.commit, one.head, *one.commits)]
        if match := re.fullmatch(r"/merge_requests/(\d+)", rest):
            return next((self._shown(one) for one in self.reviews if one.iid == int(match[1])), None)
        if match := re.fullmatch(r"/merge_requests/(\d+)/(notes|approvals|versions)", rest):
            review = next((one for one in self.reviews if one.iid == int(match[1])), None)
            return self._about(review, match[2]) if review else None
        return None

    def _about(self, review: Review, what: str) -> Any:
        if what == "notes":
            return [
                note | {"author": self._user(note["author"]["username"])} for note in reversed(review.notes)
            ]  # newest first, whatever was asked: the ids tell the order
        if what == "approvals":
            return {"approved_by": [{"user": self._user(name)} for name in review.approved_by]}
        return [{"created_at": at} for at in reversed(review.versions)]

    def _shown(self, one: Review) -> dict[str, Any]:
        return {
            "iid": one.iid,
            "title": f"Change {one.iid}",
            "state": one.state,
            "target_branch": one.target,
            "author": {"username": one.author},
            "web_url": f"{self.url}/ocr/digits/-/merge_requests/{one.iid}",
            "sha": one.head,
            "merge_commit_sha": one.commit or None,
            "squash_commit_sha": None,
        }

    def _users(self, names: list[str]) -> list[dict[str, Any]]:
        return [self._user(name) for name in names]

    def _user(self, name: str) -> dict[str, Any]:
        return {"username": name, "state": "blocked" if name in self.blocked else "active"}


@contextmanager
def gitlab(home: Path) -> Iterator[FakeGitlab]:
    """Serves a FakeGitlab with its repositories below `home`."""
    fake = FakeGitlab(home)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            split = urlsplit(self.path)
            if match := _GIT.fullmatch(split.path):
                self._git(match["path"], match["service"], split.query)
                return
            query = {name: values[0] for name, values in parse_qs(split.query).items()}
            token = self.headers.get("JOB-TOKEN") or self.headers.get("PRIVATE-TOKEN")
            status, value = fake.answer(split.path.removeprefix("/api/v4"), query, token)
            more: dict[str, str] = {}
            if status == 200 and isinstance(value, list):
                page = int(query.get("page", 1))
                shown = value[(page - 1) * fake.page : page * fake.page]
                if len(value) > page * fake.page:
                    rest = "&".join(f"{name}={text}" for name, text in query.items() if name != "page")
                    more["Link"] = f'<{fake.url}{split.path}?{rest}&page={page + 1}>; rel="next"'
                value = shown
            self._send(status, {"Content-Type": "application/json", **more}, dumps(value).encode())

        def _git(self, path: str, service: str, query: str) -> None:
            allowed = f"Basic {_basic('gitlab-ci-token', JOB)}", f"Basic {_basic('oauth2', PRIVATE)}"
            if self.headers.get("Authorization") not in allowed:
                self._send(401, {"WWW-Authenticate": 'Basic realm="x"'}, b"HTTP Basic: Access denied")
                return
            body = self._body()
            environment = {
                "PATH": os.environ["PATH"],
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_PROJECT_ROOT": str(home),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": f"/{path}.git{service}",
                "REQUEST_METHOD": self.command,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type") or "",
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding") or "",
                "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol") or "",
                "REMOTE_ADDR": "127.0.0.1",
            }
            done = subprocess.run(["git", "http-backend"], env=environment, input=body, capture_output=True, check=True)
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            status = int(headers.pop("Status", "200").split()[0])
            self._send(status, headers, content)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") == "chunked":
                parts = []
                while size := int(self.rfile.readline(), 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _send(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            pass

    Handler.do_POST = Handler.do_GET  # the name is the protocol's
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()


def _basic(user: str, password: str) -> str:
    from base64 import b64encode

    return b64encode(f"{user}:{password}".encode()).decode()
