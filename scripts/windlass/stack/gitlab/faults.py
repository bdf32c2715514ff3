"""Faults on order: answers that are refused, late or lost, so that clients can show how patient they are."""

import json
import re
import threading
import time
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LIMITED, BROKEN, SILENT, LOST = KINDS = ("limited", "broken", "silent", "lost")
"""429; 5xx; no answer at all and nothing done; done, but the answer does not arrive."""


@dataclass
class Fault:
    """What goes wrong with the next `times` calls whose method and path (from `/`, with the query) match."""

    kind: str
    method: str = ".*"
    path: str = ".*"
    times: int = 1
    status: int = 503
    retry_after: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no such kind of fault: {self.kind!r}; there are {', '.join(KINDS)}")
        re.compile(self.method), re.compile(self.path)


class Faults:
    """The faults that are ordered and not yet used up; `met` lists the calls that met one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ordered: list[Fault] = []
        self.met: list[str] = []

    def order(self, fault: Fault) -> None:
        """The fault will happen, after those that were ordered before it."""
        with self._lock:
            self._ordered.append(fault)

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._ordered.clear()
            self.met.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this call meets, which then is used up by one."""
        with self._lock:
            for fault in self._ordered:
                if fault.times > 0 and re.fullmatch(fault.method, method) and re.search(fault.path, path):
                    fault.times -= 1
                    self.met.append(f"{fault.kind} {method} {path}")
                    return fault
            return None

    def told(self) -> dict[str, object]:
        """What is ordered and what was met, for the control call."""
        with self._lock:
            return {"ordered": [asdict(fault) for fault in self._ordered if fault.times], "met": list(self.met)}


class Faulty:
    """The application, with the faults that were ordered."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self.app, self.faults = app, faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = None
        if scope["type"] == "http" and not scope["path"].startswith("/-/"):
            query = scope["query_string"].decode("latin-1")
            fault = self.faults.take(scope["method"], scope["path"] + (f"?{query}" if query else ""))
        if fault is None:
            await self.app(scope, receive, send)
        elif fault.kind == LOST:
            await self.app(scope, receive, _swallow)
            await _break_off(send)
        elif fault.kind == SILENT:
            while (await receive())["type"] != "http.disconnect":
                pass
        else:
            await Request(scope, receive).body()
            await _refusal(fault)(scope, receive, send)


def _refusal(fault: Fault) -> Response:
    retry = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if fault.kind == LIMITED:
        reset = int(time.time()) + (fault.retry_after or 60)
        limits = {
            "RateLimit-Limit": "60",
            "RateLimit-Name": "throttle_authenticated_api",
            "RateLimit-Observed": "61",
            "RateLimit-Remaining": "0",
            "RateLimit-Reset": str(reset),
        }
        return PlainTextResponse("Retry later\n", 429, limits | {"Retry-After": "60"} | retry)
    body = json.dumps({"message": f"{fault.status} Internal Server Error"})
    return Response(body, fault.status, retry, media_type="application/json")


async def _swallow(message: Message) -> None:
    return None


async def _break_off(send: Send) -> None:
    """An answer that promises more than it holds: the server ends the connection."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": True})
