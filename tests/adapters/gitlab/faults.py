"""Whatever may go wrong with one call of GitLab, before it is carried out or after."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from tests.fakes.gitlab_server import GitlabServer, Wire, at_hand
from windlass.adapters.gitlab.connection import Connection

ANSWERS: dict[str, tuple[int, Any]] = {str(status): (status, {"message": "no"}) for status in (401, 403, 429, 500, 502)}
ANSWERS |= {"garbage": (200, b"<html>sign in</html>"), "another shape": (200, {"ok": True})}


class Killed(BaseException):
    """The process ends here."""


ON_THE_WIRE: dict[str, BaseException] = {
    "timeout": requests.ReadTimeout("timed out"),
    "reset": requests.ConnectionError("connection reset by peer"),
    "killed": Killed(),
}
FAULTS = (*ANSWERS, *ON_THE_WIRE)
PASSING = ("429", "500", "502", "timeout", "reset")
"""What is asked again at once."""


@contextmanager
def fault_at(point: int, fault: str, server: GitlabServer, *, is_done: bool) -> Iterator[Connection]:
    """A connection whose call number `point` meets the fault; it must come to that call."""
    server.calls.clear()
    connection = at_hand(server)
    wire = connection.client.session.adapters["http://"]
    assert isinstance(wire, Wire)
    if fault in ANSWERS:
        server.point, server.wrong, server.is_done = point, ANSWERS[fault], is_done
    else:
        wire.point, wire.error, wire.is_done = point, ON_THE_WIRE[fault], is_done
    try:
        yield connection
        assert wire.met > point
    finally:
        server.point = None
