"""git over HTTP for those who may: who reads, who pushes, and what a push may do."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from . import access, pushes, smart_http
from .access import DEVELOPER, PULLING, PUSHING, REPORTER, Caller
from .call import Call
from .pushes import Update
from .repository import Repository
from .store import Record, Store

NO_PAGES = "This is the windlass stack's stand-in for GitLab: it serves git and the API below /api/v4, but no pages.\n"
"""What a person sees who follows a link to a project or a merge request."""

UNSEEN = "The project you were looking for could not be found or you don't have permission to view it.\n"
NO_DOWNLOAD = "You are not allowed to download code from this project.\n"
DENIED = "HTTP Basic: Access denied. If a password was provided for Git authentication, the password was incorrect.\n"


class Served(Protocol):
    """What this module needs of the stand-in."""

    @property
    def url(self) -> str: ...

    @property
    def operator_token(self) -> str: ...

    def repository(self, number: int) -> Repository: ...


def endpoint(standin: Served, store: Store) -> Callable[[Request], Awaitable[Response]]:
    """What answers git's requests; everything else gets a page that says what this is."""

    async def answer(request: Request) -> Response:
        match = smart_http.URL.fullmatch(request.scope["path"])
        if match is None:
            return PlainTextResponse(NO_PAGES, status_code=404)
        caller = access.identify(store, standin.operator_token, request.headers)
        project = store.find("projects", lambda p: bool(p["path_with_namespace"] == match["project"]))
        is_push = smart_http.is_push(request, match["service"])
        call = Call(store, standin.url, standin.repository, caller or access.ANONYMOUS)
        refusal = _refusal(call, caller, project, is_push)
        if refusal is not None:
            return refusal
        assert project is not None
        repository = standin.repository(project["id"])
        if match["service"] == "git-receive-pack":
            return await _push(request, call, project, repository)
        return await smart_http.serve(request, repository.folder, match["service"], request.stream())

    return answer


def _refusal(call: Call, caller: Caller | None, project: Record | None, is_push: bool) -> Response | None:
    """Why the caller may not read or push at all, or None."""
    visible = project is not None and call.may_see(project)
    if caller is None or (caller.user is None and (is_push or not visible)):
        challenge = {"WWW-Authenticate": 'Basic realm="GitLab"'}
        return PlainTextResponse(DENIED, status_code=401, headers=challenge)
    if project is None or not (visible or call.level(project)):
        return PlainTextResponse(UNSEEN, status_code=404)
    if caller.user and not set(caller.scopes) & set(PUSHING if is_push else PULLING):
        return PlainTextResponse(DENIED, status_code=403)
    level = call.level(project)
    if not is_push:
        return None if visible or level >= REPORTER else PlainTextResponse(NO_DOWNLOAD, status_code=403)
    if caller.job and not (
        project.get("ci_push_repository_for_job_token_allowed") and caller.job["project_id"] == project["id"]
    ):
        return PlainTextResponse(f"{pushes.NO_UPLOAD}\n", status_code=403)
    return None if level >= DEVELOPER else PlainTextResponse(f"{pushes.NO_PUSH}\n", status_code=403)


async def _push(request: Request, call: Call, project: Record, repository: Repository) -> Response:
    """git's answer to the push, after it was judged; what follows from it is there before the answer ends."""
    if request.headers.get("content-encoding", "identity") != "identity":
        return PlainTextResponse("a push is not compressed as a whole\n", status_code=415)
    stream = request.stream()
    head, updates = b"", None
    async for chunk in stream:
        head += chunk
        if (updates := pushes.commands(head)) is not None:
            break
    if updates is None:
        return PlainTextResponse("the push does not begin with what it updates\n", status_code=400)
    found: list[Update] = updates
    judgement = await run_in_threadpool(_judge, call, project, repository, found)
    environment = {"WINDLASS_REFUSED": judgement.refused, "WINDLASS_NO_FORCE": " ".join(judgement.no_force)}

    async def follow() -> None:
        await run_in_threadpool(pushes.follow, call.store, repository, project, call.user(), found)

    return await smart_http.serve(
        request, repository.folder, "git-receive-pack", _joined(head, stream), environment, follow
    )


def _judge(call: Call, project: Record, repository: Repository, updates: list[Update]) -> pushes.Judgement:
    repository.guard()
    is_empty = not repository.references("heads")
    return pushes.judge(call.store, project, call.level(project), updates, is_empty)


async def _joined(head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield head
    async for chunk in rest:
        yield chunk
