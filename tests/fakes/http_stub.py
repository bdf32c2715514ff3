"""An HTTP server that answers from a function: for APIs of which a test needs a few answers only."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.gitlab_api.watch import Watch


@dataclass
class Request:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any
    raw: bytes = b""


@dataclass
class WithHeaders:
    """A JSON value that is sent with headers of its own, such as the link to the next page."""

    value: Any
    headers: dict[str, str]


def parsed(raw: bytes) -> Any:
    """The JSON value in `raw`, None where there is nothing, and the bytes themselves where they are no JSON."""
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw


Answer = Callable[[Request], tuple[int, Any]]


@dataclass
class Stub:
    """Where the server listens and what it was asked."""

    url: str
    requests: list[Request] = field(default_factory=list)


@contextmanager
def http_stub(answer: Answer) -> Iterator[Stub]:
    """Serves what `answer` says: a status and a JSON value, maybe with headers (bytes are sent as they are).

    Fails at its end where a request to GitLab was none that GitLab publishes.
    """
    watch = Watch()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(size)
            request = Request(self.command, self.path, dict(self.headers), parsed(raw), raw)
            stub.requests.append(request)
            status, value = answer(request)
            watch.look(self.command, self.path, raw, status)
            headers = value.headers if isinstance(value, WithHeaders) else {}
            value = value.value if isinstance(value, WithHeaders) else value
            content = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            for name, text in headers.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            pass

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub = Stub(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
    watch.end()
