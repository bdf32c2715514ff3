"""`python -m windlass.stack.s3_server`: ministack's S3 and IAM, with its back doors shut and its users kept on disk.

ministack answers `POST /_ministack/reset` without credentials (any web page could send one), takes the key `test` and
any account number for the root user, and writes its users to disk only when it stops in order. Here the first two are
refused and the last is done after each change.
"""

import asyncio
import os
import signal
import threading
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, Scope

from . import aws_rules

HEALTH = "/_ministack/health"
_WRITING = threading.Lock()
"""ministack writes its users aside, always to the same name: two calls at once would move each other's file away."""


class Guarded:
    """The ministack application without its administration calls."""

    def __init__(self, app: Any, keep: Any) -> None:
        self.app = app
        self.keep = keep

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        path = scope["path"] if scope["type"] == "http" else ""
        if path.startswith(("/_ministack/", "/_localstack/", "/_aws/")) and path != HEALTH:
            await _refuse(send)
            return
        await self.app(scope, receive, send)
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == "/":  # IAM calls; S3 has none
            await asyncio.to_thread(self.keep)


async def _refuse(send: ASGISendCallable) -> None:
    await send({"type": "http.response.start", "status": 403, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def one_root_key(root: str) -> None:
    """Makes `root` the only access key of the root user."""
    from ministack.core import iam_evaluator
    from ministack.services import sts

    def is_root(access_key_id: str) -> bool:
        return not access_key_id or access_key_id == root  # no key at all: ministack's word for anonymous

    iam_evaluator.is_root_access_key = is_root
    sts.is_root_access_key = is_root


def keep_users() -> None:
    """Writes users, keys and policies to disk."""
    from ministack.core.persistence import save_state
    from ministack.services import iam

    with _WRITING:
        save_state("iam", iam.get_state())


async def main() -> None:
    """Serves until TERM, then lets ministack write what it knows."""
    one_root_key(os.environ["AWS_ACCESS_KEY_ID"])
    aws_rules.install()
    from ministack.app import app

    config = Config()
    config.bind = [f"127.0.0.1:{os.environ['GATEWAY_PORT']}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 2
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await serve(Guarded(app, keep_users), config, shutdown_trigger=stopped.wait)


if __name__ == "__main__":
    asyncio.run(main())
