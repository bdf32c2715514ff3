"""Removes the containers and the volume of one job when the worker that started them says so or is no more.

Started by path, with the address of the daemon and the label of the job. It waits until its standard input closes,
which happens even if the worker is killed. Stdlib only and no imports of windlass, so that it starts in a moment.
"""

import http.client
import json
import signal
import socket
import sys
import time
from typing import Any
from urllib.parse import quote, urlsplit

_GRACE = 12
_TRIES = 10


def main(daemon: str, label: str) -> None:
    """Stops the containers politely if the worker did not say `done` before it closed the pipe, then removes all."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    done = sys.stdin.read().strip() == "done"
    filters = quote(json.dumps({"label": [label]}))
    for _ in range(_TRIES):
        found = [each["Id"] for each in _ask(daemon, "GET", f"/containers/json?all=true&filters={filters}") or []]
        for container in found:
            if not done:
                _ask(daemon, "POST", f"/containers/{container}/stop?t={_GRACE}")
            _ask(daemon, "DELETE", f"/containers/{container}?force=true&v=true")
        volumes = (_ask(daemon, "GET", f"/volumes?filters={filters}") or {}).get("Volumes") or []
        for volume in volumes:
            _ask(daemon, "DELETE", f"/volumes/{volume['Name']}?force=true")
        if not found and not volumes:
            return
        time.sleep(0.1)


def _ask(daemon: str, method: str, path: str) -> Any:
    """What the daemon answers, None where it refuses or is away: there is nobody left who could be told."""
    connection = _Connection(daemon)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        content = answer.read()
        return json.loads(content) if answer.status == 200 and content else None
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class _Connection(http.client.HTTPConnection):
    """HTTP to `unix:///path` or `tcp://host:port`."""

    def __init__(self, daemon: str) -> None:
        super().__init__("localhost", timeout=60)
        self._daemon = daemon

    def connect(self) -> None:
        parts = urlsplit(self._daemon)
        if parts.scheme in ("unix", "http+unix"):
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(self.timeout)
            self.sock.connect(f"/{parts.netloc}{parts.path}".replace("//", "/"))
        else:
            self.sock = socket.create_connection((parts.hostname or "localhost", parts.port or 2375), self.timeout)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
