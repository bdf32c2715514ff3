"""The REST API of a GitLab with one merged merge request, as far as windlass asks for it; one answer may go wrong."""

from dataclasses import dataclass, field
from typing import Any

from tests.fakes.http_stub import Request


@dataclass
class GitlabServer:
    """Hand `answer` to `http_stub`. `wrong` is the answer to call number `point`, which is carried out if `is_done`."""

    releases: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    point: int | None = None
    wrong: tuple[int, Any] = (500, {})
    is_done: bool = False

    def answer(self, request: Request) -> tuple[int, Any]:
        self.calls.append(f"{request.method} {request.path.partition('?')[0].rpartition('/')[2]}")
        if len(self.calls) - 1 != self.point:
            return self._answer(request)
        if self.is_done:
            self._answer(request)
        return self.wrong

    def _answer(self, request: Request) -> tuple[int, Any]:
        if request.method == "POST":
            tag = request.body["tag_name"]
            if tag in self.releases:
                return 409, {"message": "Release already exists"}
            self.releases.append(tag)
            return 201, {"tag_name": tag}
        if "/releases/" in request.path:
            tag = request.path.rpartition("/")[2]
            return (200, {"tag_name": tag}) if tag in self.releases else (404, {"message": "404 Not Found"})
        if request.path.endswith("/approvals"):
            return 200, {"approved_by": [{"user": {"username": "eve"}}]}
        return 200, [{"iid": 12, "title": "T", "state": "merged", "author": {"username": "ann"}, "web_url": "u"}]
