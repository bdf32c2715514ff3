"""Fixtures that put a MemoryStore in place of the S3 server under the commands of tests/delivery/test_commands.py.

Import all of them: a module of tests that does so runs whole commands, only without S3's protocol. That every Store
behaves alike is shown by the contract in tests/adapters, and each command runs over a real server in some test.
"""

import pytest

from tests.fakes.memory_store import MemoryStore
from windlass.cli.context import OpenStore


@pytest.fixture
def s3() -> str:
    """What environments name as endpoint: nobody listens there."""
    return "http://127.0.0.1:1"


@pytest.fixture
def store() -> MemoryStore:
    """The bucket that the commands work in."""
    return MemoryStore()


@pytest.fixture
def open_store(store: MemoryStore) -> OpenStore:
    """Gives `store` for each bucket."""
    return lambda name: store
