"""The demo as a newcomer runs it, once for all end-to-end tests, in a stack of its own on free ports."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from windlass.adapters.airflow import AirflowApi
from windlass.spec.environment import find_environment, load_environments, resolve
from windlass.spec.errors import WindlassError
from windlass.stack.node import need_rsync
from windlass.stack.stack import Stack

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Demo:
    """The home of a demo, what its two runs printed and how many seconds they took."""

    home: Path
    outputs: tuple[str, str]
    seconds: tuple[float, float]

    @property
    def stack(self) -> Stack:
        return Stack(self.home / "stack")

    @property
    def repository(self) -> Path:
        return self.home / "demo/digits"

    def airflow(self, name: str) -> AirflowApi:
        settings = find_environment(load_environments(ROOT / "environments"), name).airflow
        assert settings is not None
        return AirflowApi(resolve(settings, self.stack.airflow_login(name), name), name)

    def windlass(
        self, *arguments: str, folder: Path | None = None, environment: str = "prod", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """`windlass ARGUMENTS` as the operator, as after `eval "$(windlass stack env ENVIRONMENT)"`."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CI_"))}
        settings = {"WINDLASS_ENVIRONMENTS": str(ROOT / "environments"), **variables}
        return subprocess.run(
            [str(Path(sys.executable).parent / "windlass"), *arguments],
            cwd=folder or self.repository,
            env={**inherited, **self.stack.operator_variables(environment), **settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )


def run_demo(home: Path) -> tuple[str, float]:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples/demo.py"), str(home)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout, time.monotonic() - began


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Two demos one after the other; the stack is up until the tests end, and nothing of it is left."""
    try:
        need_rsync(lambda line: None)
    except WindlassError as missing:
        pytest.skip(str(missing))  # no rsync and not root: the sentence has the apt line
    home = tmp_path_factory.mktemp("demo")
    try:
        first, first_seconds = run_demo(home)
        second, second_seconds = run_demo(home)
        yield Demo(home, (first, second), (first_seconds, second_seconds))
    finally:
        Stack(home / "stack").down()
        assert not _processes_of(home), "a process of the stack outlived `stack down`"


def _processes_of(home: Path) -> list[str]:
    listed = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [line for line in listed.splitlines() if re.search(re.escape(str(home)), line)]
