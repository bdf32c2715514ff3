"""The stand-in as one web application: /api/v4 from the resource modules, its own control calls, and git."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as WebRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from . import (
    access,
    approvals,
    branches,
    choices,
    ci,
    commits,
    control,
    deployments,
    environments,
    files,
    git,
    groups,
    job_tokens,
    members,
    merge_requests,
    notes,
    packages,
    pages,
    pipelines,
    projects,
    protections,
    release_links,
    releases,
    runners,
    statuses,
    tags,
    users,
    variables,
    versions,
)
from .access import ANONYMOUS
from .call import Call, Raw, Refusal, Route
from .faults import Faults, Faulty
from .repository import Repository
from .store import Store

RESOURCES = (
    users,
    groups,
    projects,
    members,
    merge_requests,
    approvals,
    notes,
    versions,
    commits,
    statuses,
    branches,
    tags,
    protections,
    files,
    pipelines,
    deployments,
    environments,
    releases,
    release_links,
    variables,
    runners,
    ci,
    packages,
)
"""Every resource module; a new one is listed here."""


@dataclass(frozen=True)
class Standin:
    """What the application serves: where it keeps things, how it is reached, its operator's token, and its faults."""

    home: Path
    url: str
    operator_token: str = field(repr=False)
    faults: Faults = field(default_factory=Faults)

    def repository(self, number: int) -> Repository:
        """The bare repository of the project with this number."""
        return Repository(self.home / "repositories" / f"{number}.git")


def build(standin: Standin) -> ASGIApp:
    """The web application."""
    store = Store(standin.home / "records")
    access.root(store)
    routes = [
        WebRoute(f"/api/v4{route.path}", _endpoint(standin, store, route), methods=[route.method])
        for resource in RESOURCES
        for route in resource.ROUTES
    ]
    own = control.routes(standin.faults)
    routes += [WebRoute(r.path, _endpoint(standin, store, r, is_control=True), methods=[r.method]) for r in own]
    routes.append(WebRoute("/-/health", _health))
    routes.append(WebRoute("/api/{rest:path}", _unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]))
    routes.append(WebRoute("/{rest:path}", git.endpoint(standin, store), methods=["GET", "POST"]))
    return _UndecodedPaths(Faulty(Starlette(routes=routes, exception_handlers={Refusal: _refuse}), standin.faults))


class _UndecodedPaths:
    """Routes see the path as it was sent: `group%2Fname` stays one part, and `%2e%2e` is no way out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "path": scope["raw_path"].decode("latin-1").partition("?")[0]}
        await self.app(scope, receive, send)


def _endpoint(
    standin: Standin, store: Store, route: Route, is_control: bool = False
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        body = await request.body()
        call = Call(
            store=store,
            url=standin.url,
            repositories=standin.repository,
            path={name: unquote(value) for name, value in request.path_params.items()},
            parameters={**_query(request), **_json(request, body)},
            body=body,
        )
        value = await run_in_threadpool(_answer, standin, route, call, request, is_control)
        if isinstance(value, list):
            return pages.page(request, value, call.parameters, route.keyset)
        if isinstance(value, Raw):
            return Response(value.content, headers=value.headers, media_type="application/octet-stream")
        return Response(status_code=204) if value is None else JSONResponse(value, status_code=route.status)

    return answer


def _answer(standin: Standin, route: Route, call: Call, request: Request, is_control: bool) -> Any:
    """The route's answer, after it is known who calls and whether they may."""
    caller = access.identify(call.store, standin.operator_token, request.headers)
    if caller is None:
        raise Refusal(401, "401 Unauthorized")
    reading = route.method == "GET"
    if caller.job and not job_tokens.allows(route.method, route.path):
        caller = ANONYMOUS
    if caller.user and not (caller.scopes and ("api" in caller.scopes or (reading and "read_api" in caller.scopes))):
        raise Refusal(403, "insufficient_scope")
    call.caller = caller
    if is_control:
        call.need_admin()
    elif "{project}" in route.path:
        if not reading:
            call.user()
        call.need(route.level, reading)
    else:
        call.user()
    choices.refuse_others(route, call)
    return route.answer(call)


def _query(request: Request) -> dict[str, Any]:
    """The query; `name[]=a&name[]=b` is a list."""
    found: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():
        if name.endswith("[]"):
            found.setdefault(name.removesuffix("[]"), []).append(value)
        else:
            found[name] = value
    return found


def _json(request: Request, body: bytes) -> dict[str, Any]:
    if not body or "json" not in request.headers.get("content-type", "json"):
        return {}
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise Refusal(400, "the body is not a JSON object")
    return value


async def _health(request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _unknown(request: Request) -> Response:
    return JSONResponse({"error": "404 Not Found: the stand-in has no such call"}, status_code=404)


async def _refuse(request: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return JSONResponse({"message": refusal.message}, status_code=refusal.status)
