"""Looks at every request that passes on its way to something that stands in for GitLab."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gitlab_api import published

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Watch:
    """What was wrong with the requests so far."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def look(self, method: str, address: str, body: bytes, status: int | None) -> None:
        """Takes down what GitLab does not publish of the request that was answered with `status`."""
        self.found += published.wrong(method, address, body, status)

    def end(self) -> None:
        """AssertionError where there was something."""
        assert not self.found, "requests that GitLab does not publish:\n" + "\n".join(dict.fromkeys(self.found))


class Watched:
    """The application, with every request to it watched."""

    def __init__(self, app: ASGIApp, watch: Watch) -> None:
        self.app, self.watch = app, watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(published.BELOW):
            await self.app(scope, receive, send)
            return
        body, statuses = bytearray(), []

        async def hear() -> Message:
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
            await send(message)

        try:
            await self.app(scope, hear, tell)
        finally:
            address = f"{scope['raw_path'].decode('latin-1').partition('?')[0]}?{scope['query_string'].decode()}"
            self.watch.look(scope["method"], address, bytes(body), statuses[0] if statuses else None)
