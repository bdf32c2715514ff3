"""The REST API of a GitLab with one project, as far as windlass asks for it; one answer may go wrong.

It makes whatever it is asked to make, twice if it is asked twice: that nothing is, is for windlass to see to.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import requests
from requests.adapters import HTTPAdapter

from tests.fakes.http_stub import Request, Stub, WithHeaders, parsed
from tests.gitlab_api.watch import Watch
from windlass.adapters.gitlab.connection import Connection, connection_in_ci

MISSING = (404, {"message": "404 Not Found"})
BOT = 5
"""The user of the private token."""


@dataclass
class GitlabServer:
    """Hand `answer` to `http_stub`. `wrong` is the answer to call number `point`, which is carried out if `is_done`.

    `meanwhile` sees each call before it is answered: what others do at that moment. Notes named in `hidden` are left
    out of their page, as GitLab does with what the user may not see.
    """

    releases: dict[str, dict[str, Any]] = field(default_factory=dict)
    deployments: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    environments: list[dict[str, Any]] = field(default_factory=list)
    files: list[tuple[str, bytes]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    largest_page: int = 100
    calls: list[str] = field(default_factory=list)
    point: int | None = None
    wrong: tuple[int, Any] = (500, {})
    is_done: bool = False
    meanwhile: Callable[[str], None] = lambda call: None

    def answer(self, request: Request) -> tuple[int, Any]:
        path = urlsplit(request.path).path
        self.calls.append(f"{request.method} {unquote(path).rpartition('/')[2]}")
        self.meanwhile(self.calls[-1])
        if len(self.calls) - 1 != self.point:
            return self._answer(request, path)
        if self.is_done:
            self._answer(request, path)
        return self.wrong

    def note(self, body: str, author: int = BOT, **more: Any) -> dict[str, Any]:
        """A new note in the merge request."""
        number = max((one["id"] for one in self.notes), default=0) + 1
        self.notes.append({"id": number, "body": body, "author": {"id": author}, "system": False, **more})
        return self.notes[-1]

    def _answer(self, request: Request, path: str) -> tuple[int, Any]:
        query = {name: values[0] for name, values in parse_qs(urlsplit(request.path).query).items()}
        for pattern, answer in ROUTES:
            method, _, rest = pattern.partition(" ")
            found = re.fullmatch(rest, re.sub(r"^/api/v4(/projects/(42|g%2Fp)(?=/))?", "", path))
            if found and method == request.method:
                return answer(
                    self, {**query, **(request.body if isinstance(request.body, dict) else {})}, found, request
                )
        return MISSING


Given = dict[str, Any]
Answer = Callable[[GitlabServer, Given, "re.Match[str]", Request], tuple[int, Any]]


def _merge_requests(server: GitlabServer, given: Given, found: "re.Match[str]", request: Request) -> tuple[int, Any]:
    return 200, [{"iid": 12, "title": "T", "state": "merged", "author": {"username": "ann"}, "web_url": "u"}]


def _approvals(server: GitlabServer, given: Given, found: "re.Match[str]", request: Request) -> tuple[int, Any]:
    return 200, {"approved_by": [{"user": {"username": "eve"}}]}


def _user(server: GitlabServer, given: Given, found: "re.Match[str]", request: Request) -> tuple[int, Any]:
    return (200, {"id": BOT, "username": "bot"}) if "PRIVATE-TOKEN" in request.headers else (401, {"message": "no"})


def _notes(server: GitlabServer, given: Given, found: "re.Match[str]", request: Request) -> tuple[int, Any]:
    size, page = min(int(given.get("per_page", 20)), server.largest_page), int(given.get("page", 1))
    shown = server.notes[(page - 1) * size : page * size]
    headers = {}
    if len(server.notes) > page * size:
        there = f"http://{request.headers['Host']}{urlsplit(request.path).path}?per_page={size}&page={page + 1}"
        headers["Link"] = f'<{there}>; rel="next"'
    return 200, WithHeaders([dict(one) for one in shown if one["id"] not in server.hidden], headers)


def _new_note(server: GitlabServer, given: Given, found: "re.Match[str]", request: Request) -> tuple[int, Any]:
    return 201, dict(server.note(given["body"]))


def _one_note(server: GitlabServer, given: Given, found: "re.Match[str]", request: Request) -> tuple[int, Any]:
    one = next((one for one in server.notes if one["id"] == int(found[1])), None)
    if one is None:
        return MISSING
    if one["author"]["id"] != BOT:
        return 403, {"message": "403 Forbidden"}
    if request.method == "DELETE":
        server.notes.remove(one)
        return 204, b""
    one["body"] = given["body"]
    return 200, dict(one)


def _release(server: GitlabServer, given: Given, found: "re.Match[str]", request: Request) -> tuple[int, Any]:
    one = server.releases.get(unquote(found[1]))
    return (200, {**one, "assets": {"links": list(one["links"])}}) if one else MISSING


def _new_release(server: GitlabServer, given: Given, found: "re.Match[str]", request: Request) -> tuple[int, Any]:
    tag = given["tag_name"]
    if tag in server.releases:
        return 409, {"message": "Release already exists"}
    links = given.get("assets", {}).get("links", [])
    server.releases[tag] = {"tag_name": tag, "description": given["description"], "links": list(links)}
    return 201, {"tag_name": tag, "assets": {"links": links}}


def _links(server: GitlabServer, given: Given, found: "re.Match[str]", request: Request) -> tuple[int, Any]:
    links = server.releases[unquote(found[1])]["links"]
    if request.method == "GET":
        return 200, list(links)
    if any(link["name"] == given["name"] for link in links):
        return 400, {"message": "name has already been taken"}
    links.append(given)
    return 201, given


def _file(server: GitlabServer, given: Given, found: "re.Match[str]", request: Request) -> tuple[int, Any]:
    if request.method == "GET":
        kept = dict(server.files).get(found[1])
        return MISSING if kept is None else (200, kept)
    server.files.append((found[1], request.raw))
    return 201, {"message": "201 Created"}


def _deployments(server: GitlabServer, given: Given, found: "re.Match[str]", request: Request) -> tuple[int, Any]:
    if request.method == "POST":
        server.deployments.append({"id": len(server.deployments) + 1, **given})
        return 201, server.deployments[-1]
    names = ("environment", "status")
    own = [one for one in server.deployments if all(one[name] == given[name] for name in names)]
    own.sort(key=lambda one: one["id"], reverse=given.get("sort") == "desc")
    return 200, own[: int(given["per_page"])]


def _statuses(server: GitlabServer, given: Given, found: "re.Match[str]", request: Request) -> tuple[int, Any]:
    if "PRIVATE-TOKEN" not in request.headers:
        return 403, {"message": "403 Forbidden"}
    if request.method == "POST":
        server.statuses.append({"id": 1, "sha": found[1], **given, "status": given["state"]})
        return 201, server.statuses[-1]
    return 200, [one for one in server.statuses if (one["sha"], one["name"]) == (found[1], given["name"])]


def _environments(server: GitlabServer, given: Given, found: "re.Match[str]", request: Request) -> tuple[int, Any]:
    if request.method == "GET":
        return 200, [dict(one) for one in server.environments if one["name"] == given["name"]]
    one = next(one for one in server.environments if one["id"] == int(found[1]))
    one["auto_stop_setting"] = given["auto_stop_setting"]
    return 200, one


ROUTES: tuple[tuple[str, Answer], ...] = (
    ("GET /user", _user),
    ("GET /repository/commits/[^/]+/merge_requests", _merge_requests),
    ("GET /merge_requests/[0-9]+/approvals", _approvals),
    ("GET /merge_requests/7/notes", _notes),
    ("POST /merge_requests/7/notes", _new_note),
    ("PUT /merge_requests/7/notes/([0-9]+)", _one_note),
    ("DELETE /merge_requests/7/notes/([0-9]+)", _one_note),
    ("GET /releases/([^/]+)", _release),
    ("POST /releases", _new_release),
    ("GET /releases/([^/]+)/assets/links", _links),
    ("POST /releases/([^/]+)/assets/links", _links),
    ("GET /packages/generic/(.+)", _file),
    ("PUT /packages/generic/(.+)", _file),
    ("GET /deployments", _deployments),
    ("POST /deployments", _deployments),
    ("GET /repository/commits/([^/]+)/statuses", _statuses),
    ("POST /statuses/([^/]+)", _statuses),
    ("GET /environments", _environments),
    ("PUT /environments/([0-9]+)", _environments),
)


def at_hand(server: GitlabServer, token: str | None = "mine") -> Connection:
    """A connection to the project 42 of the server without a socket between them."""
    connection = connected(Stub("http://gitlab.example"), token)
    connection.client.session.mount("http://", Wire(server))
    return connection


def connected(stub: Stub, token: str | None = "mine", **variables: str) -> Connection:
    """A connection to the project 42 that never sleeps; with `token` None that of a job."""
    given = {"CI_SERVER_URL": stub.url, "CI_PROJECT_ID": "42", "CI_JOB_TOKEN": "job", **variables}
    given |= {"WINDLASS_GITLAB_TOKEN": token} if token else {}
    found = connection_in_ci(given, sleep=lambda seconds: None)
    assert found is not None
    return found


class Wire(HTTPAdapter):
    """Takes calls to the server without a socket; call number `point` raises, before it gets there or after."""

    def __init__(self, server: GitlabServer, point: int | None = None, error: BaseException | None = None) -> None:
        super().__init__()
        self.server, self.point, self.error, self.is_done, self.met = server, point, error, False, 0

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        self.met += 1
        is_here = self.met - 1 == self.point and self.error is not None
        if is_here and not self.is_done:
            raise self.error
        answer = self._answer(request)
        if is_here:
            raise self.error
        return answer

    def _answer(self, request: requests.PreparedRequest) -> requests.Response:
        body = request.body.encode() if isinstance(request.body, str) else request.body
        address = urlsplit(request.url or "")
        headers = {**request.headers, "Host": address.netloc}
        path = f"{address.path}?{address.query}"
        given = Request(request.method or "", path, dict(headers), parsed(body or b""), body or b"")
        status, value = self.server.answer(given)
        watch = Watch()
        watch.look(given.method, path, body or b"", status)
        watch.end()
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = status, request, request.url or ""
        answer.headers["Content-Type"] = "application/json"
        answer.headers.update(value.headers if isinstance(value, WithHeaders) else {})
        content = value.value if isinstance(value, WithHeaders) else value
        answer._content = content if isinstance(content, bytes) else json.dumps(content).encode()
        return answer
