"""A process is stopped with all that it started, and a stranger that got its number never is."""

import contextlib
import dataclasses
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from windlass.stack import processes
from windlass.stack.processes import Identity

ENVIRONMENT = {"PATH": os.environ["PATH"]}


Start = Callable[..., Identity]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a script that makes the file `ready`; what still runs after the test is killed."""

    def run(script: str, program: tuple[str, ...] = ("bash", "-c")) -> Identity:
        identity = processes.start([*program, script], ENVIRONMENT, tmp_path, tmp_path / "log")
        deadline = time.monotonic() + 30
        while not (tmp_path / "ready").exists():
            assert time.monotonic() < deadline, (tmp_path / "log").read_text()
            time.sleep(0.01)
        return identity

    yield run
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (entry / "cwd").resolve() == tmp_path:
                os.kill(int(entry.name), signal.SIGKILL)


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]


def test_a_process_is_stopped_with_its_children_even_those_in_a_session_of_their_own(start: Start) -> None:
    identity = start("sleep 100 & setsid sleep 100 & sleep 0.2; touch ready; wait")
    members = processes.members(identity)
    assert len(members) == 3
    processes.stop([identity])
    assert not processes.is_alive(identity)
    assert all(gone(pid) for pid in members)


def test_children_of_a_killed_leader_are_still_found_and_stopped(start: Start) -> None:
    identity = start("sleep 100 & touch ready; wait")
    children = set(processes.members(identity)) - {identity.pid}
    os.kill(identity.pid, signal.SIGKILL)
    while processes.is_alive(identity):
        time.sleep(0.01)
    assert set(processes.members(identity)) == children
    processes.stop([identity])
    assert all(gone(pid) for pid in children)


def test_a_process_that_ignores_term_is_killed_after_the_grace(start: Start) -> None:
    identity = start("trap '' TERM; touch ready; while true; do sleep 0.1; done")
    processes.stop([identity], grace=0.5)
    assert not processes.is_alive(identity)


@pytest.mark.parametrize("change", [{"started": 1}, {"boot": "another boot"}])
def test_a_stranger_with_the_same_number_is_neither_ours_nor_stopped(start: Start, change: dict[str, object]) -> None:
    stranger = start("touch ready; sleep 100")
    recorded = dataclasses.replace(stranger, **change)
    assert not processes.is_alive(recorded)
    assert processes.members(recorded) == []
    processes.stop([recorded])
    assert processes.is_alive(stranger)
    processes.stop([stranger])


def test_a_process_name_with_brackets_and_spaces_does_not_confuse_its_identity(start: Start) -> None:
    script = "import ctypes,pathlib,time; ctypes.CDLL(None).prctl(15, b'a) S 1 2 ('); pathlib.Path('ready').touch()"
    identity = start(f"{script}; time.sleep(100)", (sys.executable, "-c"))
    assert processes.is_alive(identity)
    processes.stop([identity])
    assert not processes.is_alive(identity)
