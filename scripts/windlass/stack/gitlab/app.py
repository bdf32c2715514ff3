"""The stand-in as one web application: /api/v4 from the resource modules, everything else is git."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route as WebRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from . import commits, deployments, merge_requests, projects, releases, smart_http, tags
from .access import Tokens
from .call import JOB, OPERATOR, Call, Refusal, Route
from .repository import Repository
from .store import Store

RESOURCES = (projects, merge_requests, commits, tags, releases, deployments)
"""Every resource module; a new one is listed here."""

NO_PAGES = "This is the windlass stack's stand-in for GitLab: it serves git and the API below /api/v4, but no pages.\n"
"""What a person sees who follows a link to a project or a merge request."""


@dataclass(frozen=True)
class Standin:
    """What the application serves: where it keeps things, how it is reached and who may call."""

    home: Path
    url: str
    tokens: Tokens

    def repository(self, number: int) -> Repository:
        """The bare repository of the project with this number."""
        return Repository(self.home / "repositories" / f"{number}.git")


def build(standin: Standin) -> ASGIApp:
    """The web application."""
    store = Store(standin.home / "records")
    routes = [
        WebRoute(f"/api/v4{route.path}", _endpoint(standin, store, route), methods=[route.method])
        for resource in RESOURCES
        for route in resource.ROUTES
    ]
    routes.append(WebRoute("/-/health", _health))
    routes.append(WebRoute("/api/{rest:path}", _unknown, methods=["GET", "POST", "PUT", "DELETE"]))
    routes.append(WebRoute("/{rest:path}", _git(standin, store), methods=["GET", "POST"]))
    return _UndecodedPaths(Starlette(routes=routes, exception_handlers={Refusal: _refuse}))


class _UndecodedPaths:
    """Routes see the path as it was sent: `group%2Fname` stays one part, and `%2e%2e` is no way out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": scope["raw_path"].decode("latin-1").partition("?")[0]}
        await self.app(scope, receive, send)


def _endpoint(standin: Standin, store: Store, route: Route) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        caller = standin.tokens.caller(request.headers)
        if caller is None:
            raise Refusal(401, "401 Unauthorized")
        if caller == JOB and not route.job_token:
            raise Refusal(403, "403 Forbidden: a job token may not do this")
        call = Call(
            store=store,
            caller=caller,
            url=standin.url,
            repositories=standin.repository,
            path={name: unquote(value) for name, value in request.path_params.items()},
            parameters={**request.query_params, **await _json(request)},
        )
        value = await run_in_threadpool(route.answer, call)
        if isinstance(value, list):
            return _page(request, value, call.parameters)
        return JSONResponse(value, status_code=route.status)

    return answer


async def _json(request: Request) -> dict[str, Any]:
    body = await request.body()
    if not body:
        return {}
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Refusal(400, "the body is not a JSON object")
    return value


def _page(request: Request, values: list[Any], parameters: dict[str, Any]) -> Response:
    """One page of a list, with the headers by which a client finds the next one."""
    try:
        size = min(max(int(parameters.get("per_page", 20)), 1), 100)
        page = max(int(parameters.get("page", 1)), 1)
    except ValueError as error:
        raise Refusal(400, "page and per_page are numbers") from error
    shown, more = values[(page - 1) * size : page * size], len(values) > page * size
    headers = {
        "X-Page": str(page),
        "X-Per-Page": str(size),
        "X-Total": str(len(values)),
        "X-Total-Pages": str(-(-len(values) // size)),
        "X-Next-Page": str(page + 1) if more else "",
    }
    if more:
        headers["Link"] = f'<{request.url.include_query_params(page=page + 1, per_page=size)}>; rel="next"'
    return JSONResponse(shown, headers=headers)


def _git(standin: Standin, store: Store) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        match = smart_http.URL.fullmatch(request.scope["path"])
        if match is None:
            return PlainTextResponse(NO_PAGES, status_code=404)
        caller = standin.tokens.caller(request.headers)
        project = store.find("projects", lambda p: bool(p["path_with_namespace"] == match["project"]))
        push = smart_http.is_push(request, match["service"])
        public = project is not None and project["visibility"] == "public"
        if caller is None and (push or not public or "authorization" in request.headers):
            challenge = {"WWW-Authenticate": 'Basic realm="windlass stack"'}
            return PlainTextResponse("HTTP Basic: Access denied\n", status_code=401, headers=challenge)
        if push and caller != OPERATOR:
            return PlainTextResponse("a job token may not push\n", status_code=403)
        if project is None:
            return PlainTextResponse("project not found\n", status_code=404)
        repository = standin.repository(project["id"])
        return await smart_http.serve(request, repository.folder, match["service"], caller or "")

    return answer


async def _health(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _unknown(request: Request) -> Response:
    return JSONResponse({"error": "404 Not Found: the stand-in has no such call"}, status_code=404)


async def _refuse(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return JSONResponse({"message": refusal.message}, status_code=refusal.status)
