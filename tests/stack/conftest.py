"""What the stack's tests share: a GitLab stand-in in this process, and a stack without Airflow."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gitlab
import pytest
import uvicorn

from windlass.spec.errors import WindlassError
from windlass.stack import node, ports
from windlass.stack.gitlab.access import Tokens
from windlass.stack.gitlab.app import Standin, build
from windlass.stack.publish import Remote
from windlass.stack.stack import Stack

OPERATOR_TOKEN, JOB_TOKEN = "operator-token", "job-token"


def serve(standin: Standin) -> Callable[[], None]:
    """Serves `standin` in a thread; the result stops it."""
    port = int(standin.url.rpartition(":")[2])
    config = uvicorn.Config(build(standin), host="127.0.0.1", port=port, loop="asyncio", log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started:
        assert time.monotonic() < deadline, "the stand-in did not start"
        time.sleep(0.01)

    def stop() -> None:
        server.should_exit = True
        thread.join(timeout=10)

    return stop


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[Standin]:
    """A fresh stand-in, served."""
    url = f"http://127.0.0.1:{ports.choose(set())}"
    standin = Standin(tmp_path / "gitlab", url, Tokens(OPERATOR_TOKEN, JOB_TOKEN))
    stop = serve(standin)
    yield standin
    stop()


@pytest.fixture
def api(standin: Standin) -> gitlab.Gitlab:
    """The stand-in as its operator sees it."""
    return gitlab.Gitlab(standin.url, private_token=OPERATOR_TOKEN)


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


class Checkout:
    """A git repository of a person, to commit and push from."""

    def __init__(self, folder: Path, remote: Remote) -> None:
        self.folder, self.remote = folder, remote
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "Ada")
        self.git("config", "user.email", "ada@example.org")

    def git(self, *arguments: str) -> str:
        return self.remote.git(self.folder, *arguments)

    def commit(self, message: str = "change", **files: str) -> str:
        """The new commit with these files."""
        for name, text in files.items():
            path = self.folder / name.replace("__", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def push(self, project: str, branch: str) -> None:
        self.git("push", "--quiet", "--force", self.remote.project(project), f"HEAD:refs/heads/{branch}")


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
