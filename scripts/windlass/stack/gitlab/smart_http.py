"""git over HTTP: `git http-backend` run as CGI without a shell, request and answer streamed."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from .repository import git_environment

URL = re.compile(
    r"/(?P<project>[A-Za-z0-9_][\w.-]*(?:/[A-Za-z0-9_][\w.-]*?)+?)(?:\.git)?"
    r"/(?P<service>info/refs|git-upload-pack|git-receive-pack)"
)
"""The URLs that git uses; a project's path has no part that starts with a dot, so `..` never matches."""

CHUNK = 1 << 16


def is_push(request: Request, service: str) -> bool:
    """Whether the request is part of a push (and so needs the right to write)."""
    return "git-receive-pack" in (service, request.query_params.get("service"))


async def serve(
    request: Request,
    repository: Path,
    service: str,
    content: AsyncIterator[bytes],
    more: Mapping[str, str] | None = None,
    done: Callable[[], Awaitable[None]] | None = None,
) -> Response:
    """git's own answer for `service` on the bare repository; `done` happens before the answer's end.

    `content` is the request's body, `more` goes into git's environment.
    """
    process = await asyncio.create_subprocess_exec(
        "git",
        "http-backend",
        env=_environment(request, repository, service) | dict(more or {}),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        # git reads the whole request before it answers more than a pipe holds, and a streaming answer
        # must not share the request's channel: so first in, then out.
        await _feed(content, process)
        status, headers = await _read_headers(process)
    except BaseException:
        await _stop(process)
        raise
    if status == 0:
        await _stop(process)
        return PlainTextResponse("git http-backend gave no answer\n", status_code=500)
    return StreamingResponse(_body(process, done), status_code=status, headers=headers)


def _environment(request: Request, repository: Path, service: str) -> dict[str, str]:
    environment = git_environment(repository.parent) | {
        "GIT_PROJECT_ROOT": str(repository.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{repository.name}/{service}",
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.url.query,
        "REMOTE_USER": "git",
        "REMOTE_ADDR": "127.0.0.1",
    }
    for header, name in {
        "content-type": "CONTENT_TYPE",
        "content-length": "CONTENT_LENGTH",
        "content-encoding": "HTTP_CONTENT_ENCODING",
        "git-protocol": "HTTP_GIT_PROTOCOL",
    }.items():
        if header in request.headers:
            environment[name] = request.headers[header]
    return environment


async def _feed(content: AsyncIterator[bytes], process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    with contextlib.suppress(ConnectionError):  # git has read what it wanted, or the client has gone
        async for chunk in content:
            if chunk:
                process.stdin.write(chunk)
                await process.stdin.drain()
    with contextlib.suppress(ConnectionError):
        process.stdin.close()
        await process.stdin.wait_closed()


async def _read_headers(process: asyncio.subprocess.Process) -> tuple[int, dict[str, str]]:
    assert process.stdout is not None
    status, headers = 200, dict[str, str]()
    while line := (await process.stdout.readline()):
        text = line.decode("latin-1").rstrip("\r\n")
        if not text:
            return status, headers
        name, _, value = text.partition(":")
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers[name] = value.strip()
    return 0, {}


async def _body(
    process: asyncio.subprocess.Process, done: Callable[[], Awaitable[None]] | None
) -> AsyncIterator[bytes]:
    assert process.stdout is not None
    try:
        while chunk := await process.stdout.read(CHUNK):
            yield chunk
        await process.wait()
        if done is not None:
            await done()
    finally:
        await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
    await process.wait()
