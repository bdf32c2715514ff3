"""What the runtime's tests share: one PostgreSQL."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.postgres_server import postgres_server


@pytest.fixture(scope="session")
def server() -> Iterator[dict[str, Any]]:
    """How to connect to it."""
    with postgres_server() as arguments:
        yield arguments
