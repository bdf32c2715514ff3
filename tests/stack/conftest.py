"""What the stack's tests share: a GitLab stand-in in this process, and a stack without Airflow."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gitlab
import pytest

from tests.fakes.standin import Checkout, Company, serve
from windlass.spec.errors import WindlassError
from windlass.stack import node, ports
from windlass.stack.gitlab.app import Standin
from windlass.stack.publish import Remote
from windlass.stack.stack import Stack

OPERATOR_TOKEN = "operator-token"


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[Standin]:
    """A fresh stand-in, served."""
    url = f"http://127.0.0.1:{ports.choose(set())}"
    standin = Standin(tmp_path / "gitlab", url, OPERATOR_TOKEN)
    stop = serve(standin)
    yield standin
    stop()


@pytest.fixture
def api(standin: Standin) -> gitlab.Gitlab:
    """The stand-in as its operator sees it."""
    return gitlab.Gitlab(standin.url, private_token=OPERATOR_TOKEN)


@pytest.fixture
def company(standin: Standin) -> Company:
    """The stand-in's people, projects and jobs."""
    return Company(standin)


@pytest.fixture
def remote(standin: Standin) -> Remote:
    """git with the operator's token."""
    return Remote(standin.url, OPERATOR_TOKEN)


@pytest.fixture(scope="session")
def rsync() -> None:
    """What gitlab-ci-local needs; without it and without root the test is skipped with the line to run."""
    try:
        node.need_rsync(lambda line: None)
    except WindlassError as missing:
        pytest.skip(str(missing))  # no rsync and not root: the sentence has the apt line


@pytest.fixture
def checkout(tmp_path: Path, remote: Remote) -> Checkout:
    """An empty repository."""
    return Checkout(tmp_path / "checkout", remote)


@pytest.fixture
def new_stack(tmp_path: Path) -> Iterator[Callable[..., Stack]]:
    """Makes stacks without Airflow, and stops them after the test whatever happened in it."""
    made = []

    def make(name: str = "stack", **options: Any) -> Stack:
        made.append(Stack(tmp_path / name, environments=(), **options))
        return made[-1]

    yield make
    for stack in made:
        stack.down()


@pytest.fixture(scope="session")
def small_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """S3 and the GitLab stand-in as processes, without Airflow."""
    stack = Stack(tmp_path_factory.mktemp("stack"), environments=())
    stack.up()
    yield stack
    stack.down()
