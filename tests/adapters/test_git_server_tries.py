"""git before a server in trouble: asked again for a while; what its address looks like says nothing of its answer."""

from typing import Any

import pytest

from tests.fakes.http_stub import Request, http_stub
from windlass.adapters import git_server
from windlass.adapters.git_server import Access, on_server
from windlass.spec.errors import ServiceError, TransientError

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(git_server, "PAUSES", (0.0, 0.0, 0.0))


def asked(status: int, path: str) -> tuple[int, type[Exception], str]:
    """How often a server that answers so was asked, and what came of it."""

    def answer(request: Request) -> tuple[int, Any]:
        return status, {}

    with http_stub(answer) as stub, on_server(Access(stub.url, path, token="secret")) as repository:
        with pytest.raises((ServiceError, TransientError)) as stopped:
            repository.default_branch()
        return len(stub.requests), stopped.type, str(stopped.value)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
@pytest.mark.parametrize("path", ["ocr/digits", "team401/model-403"])
def test_a_server_in_trouble_is_asked_four_times_and_then_later(status: int, path: str) -> None:
    tries, kind, said = asked(status, path)
    assert (tries, kind) == (4, TransientError), said
    assert "does not answer git" in said


@pytest.mark.parametrize("status", [403, 404])
def test_a_server_that_refuses_is_asked_once(status: int) -> None:
    tries, kind, said = asked(status, "ocr/digits")
    assert (tries, kind) == (1, ServiceError), said
    assert "let this project in" in said
    assert "secret" not in said
