"""Watches over one command, in a process of its own: when it ends, no process that it started is left.

Started by path, with the time limit, the grace (both in seconds), the number of a status pipe and the command. It ends
the command when the time is up, when it is told to (SIGTERM), and when its own standard input closes: that happens
even if the worker that started it is killed. Stdlib only and no imports of windlass, so that it starts in a moment.
"""

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
_STRAGGLERS_SECONDS = 5.0


def main(limit: float, grace: float, status: int, command: list[str]) -> None:
    """Runs `command` to its end and writes `started <pid>` and then `<exit code> <reason>` to the status pipe."""
    _adopt_orphans()
    alarm = _signals_as_bytes()
    os.set_inheritable(status, False)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    _report(status, f"started {child.pid}\n")
    reason = _wait(child, alarm, time.monotonic() + limit)
    if reason != "ended":
        _signal_group(child.pid, signal.SIGTERM)
        _wait_for_group(child, time.monotonic() + grace)
    _signal_group(child.pid, signal.SIGKILL)
    code = child.wait()
    _kill_stragglers()
    _report(status, f"{code} {reason}\n")


def _report(status: int, line: str) -> None:
    with contextlib.suppress(BrokenPipeError):  # the worker may be dead: its command has to be ended all the same
        os.write(status, line.encode())


def _adopt_orphans() -> None:
    """Makes this process the parent of daemons that its command leaves behind; only Linux can do that."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _signals_as_bytes() -> int:
    """A pipe that receives one byte, its number, for each signal."""
    alarm, wake = os.pipe()
    os.set_blocking(alarm, False)
    os.set_blocking(wake, False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    return alarm


def _wait(child: subprocess.Popen[bytes], alarm: int, end: float) -> str:
    """Why the waiting is over: the command ended, its time is up, or it is to be stopped."""
    while child.poll() is None:
        left = end - time.monotonic()
        if left <= 0:
            return "timeout"
        ready, _, _ = select.select([alarm, 0], [], [], left)
        if 0 in ready and not os.read(0, 1):
            return "stopped"
        if alarm in ready and set(os.read(alarm, 512)) - {signal.SIGCHLD}:
            return "stopped"
    return "ended"


def _wait_for_group(child: subprocess.Popen[bytes], end: float) -> None:
    """Gives all processes of the group until `end` to tidy up: a shell often ends before what it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < end:
            if child.poll() is not None:
                _reap()
                os.killpg(child.pid, 0)
            time.sleep(0.02)


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _kill_stragglers() -> None:
    """Ends processes that left the group (setsid, daemons): on Linux they are this process's descendants still."""
    end = time.monotonic() + _STRAGGLERS_SECONDS
    while (found := _descendants()) and time.monotonic() < end:
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        _reap()
        time.sleep(0.01)


def _descendants() -> list[int]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_bytes().rpartition(b")")[2].split()[1])
    found: list[int] = []
    frontier = {os.getpid()}
    while frontier:
        frontier = {pid for pid, parent in parents.items() if parent in frontier}
        found += frontier
    return found


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
