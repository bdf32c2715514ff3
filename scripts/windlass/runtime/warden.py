"""Watches over one command, in a process of its own: when it ends, no process that it started is left.

Started by path, with the time limit, the grace (both in seconds), the number of a status pipe, what the command may
take (`memory:processes:disk_left`, bytes and counts, 0 for no limit) and the command. It ends the command when the time
is up, when it is told to (SIGTERM), when it takes more than it may, and when its own standard input closes: that
happens even if the worker that started it is killed. It is two processes: the first does nothing but wait, and ends all
that is left when the second, which does the work, is killed or stopped by the command. Stdlib only and no imports of
windlass, so that it starts in a moment.
"""

import contextlib
import ctypes
import os
import resource
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
_STRAGGLERS_SECONDS = 5.0
_LOOK_SECONDS = 0.2
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Limits:
    """What all processes of the command may take together, and what must be left on the disk of this folder.

    No dataclass: to import what makes one takes as long as all else here.
    """

    def __init__(self, memory: int, processes: int, disk_left: int) -> None:
        self.memory, self.processes, self.disk_left = memory, processes, disk_left

    def crossed(self) -> str | None:
        """The first limit that the command is beyond now."""
        found = _processes()
        if self.processes and len(found) > self.processes:
            return "processes"
        if self.memory and sum(found.values()) > self.memory and sum(map(_share, found, found.values())) > self.memory:
            return "memory"
        disk = os.statvfs(".")
        return "disk" if self.disk_left and disk.f_bavail * disk.f_frsize < self.disk_left else None


def main(limit: float, grace: float, status: int, limits: Limits, command: list[str]) -> None:
    """Runs `command` to its end; reports `started <pid>`, then `<exit code> <reason> <peak bytes>`."""
    _guard()
    _adopt_orphans()
    alarm = _signals_as_bytes()
    os.set_inheritable(status, False)
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: _report(status, f"started {os.getpid()}\n"),  # the command may kill this process at once
    )
    reason = _wait(child, alarm, time.monotonic() + limit, limits)
    if reason in ("timeout", "stopped"):
        _signal_group(child.pid, signal.SIGTERM)
        _wait_for_group(child, time.monotonic() + grace)
    _signal_group(child.pid, signal.SIGKILL)
    code = child.wait()
    _kill_stragglers()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    _report(status, f"{code} {reason} {peak}\n")


def _guard() -> None:
    """Returns in a second process; the first one waits for it, ends all that it leaves, and never returns."""
    _adopt_orphans()
    second = os.fork()
    if not second:
        return
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda number, _: _signal(second, number))
    while os.WIFSTOPPED(os.waitpid(second, os.WUNTRACED)[1]):
        _signal(second, signal.SIGKILL)  # it would never come to the time limit
    _kill_stragglers()
    os._exit(0)


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


def _wait(child: subprocess.Popen[bytes], alarm: int, end: float, limits: Limits) -> str:
    """Why the waiting is over: the command ended, its time is up, it is to be stopped or took more than it may."""
    look = time.monotonic() + _LOOK_SECONDS
    while child.poll() is None:
        now = time.monotonic()
        if now >= look:
            if crossed := limits.crossed():
                return crossed
            look = time.monotonic() + _LOOK_SECONDS
        left = end - now
        if left <= 0:
            return "timeout"
        ready, _, _ = select.select([alarm, 0], [], [], min(left, max(look - now, 0)))
        if 0 in ready and not os.read(0, 1):
            return "stopped"
        if alarm in ready and set(os.read(alarm, 512)) - {signal.SIGCHLD}:
            return "stopped"
        _reap_adopted(child.pid)
    return "ended"


def _wait_for_group(child: subprocess.Popen[bytes], end: float) -> None:
    """Gives all processes of the group until `end` to tidy up: a shell often ends before what it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < end:
            if child.poll() is not None:
                _reap()
                os.killpg(child.pid, 0)
            time.sleep(0.02)


def _reap_adopted(child: int) -> None:
    """Asks processes that lost their parents how they ended, or each would keep its number; never `child` itself."""
    if sys.platform.startswith("linux"):
        with contextlib.suppress(ChildProcessError):
            how = os.WEXITED | os.WNOHANG | os.WNOWAIT
            while (ended := os.waitid(os.P_ALL, 0, how)) and ended.si_pid != child:
                os.waitpid(ended.si_pid, 0)


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _kill_stragglers() -> None:
    """Ends processes that left the group (setsid, daemons): on Linux they are this process's descendants still.

    The children of one that is killed become this process's own, so the children are all that has to be looked at. No
    pause between the looks: one that does nothing but start its successor and end would get away in it.
    """
    end = time.monotonic() + _STRAGGLERS_SECONDS
    while time.monotonic() < end:
        _reap()
        found = _children()
        if not found:
            return
        for pid in found:
            _signal(pid, signal.SIGKILL)


def _children() -> list[int]:
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_bytes().split()]
    except OSError:  # a kernel that lists no children
        return list(_processes())


def _processes() -> dict[int, int]:
    """All that the command has started and that runs still, with the bytes that each has in memory; only on Linux."""
    parents, memory = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_bytes().rpartition(b")")[2].split()
            pid = int(stat.parent.name)
            parents[pid] = int(fields[1])
            if fields[0] != b"Z":  # what has ended only waits to be asked how
                memory[pid] = int(fields[21]) * _PAGE
    found: list[int] = []
    frontier = {os.getpid()}
    while frontier:
        frontier = {pid for pid, parent in parents.items() if parent in frontier}
        found += frontier
    return {pid: memory[pid] for pid in found if pid in memory}


def _share(pid: int, otherwise: int) -> int:
    """The bytes of a process, with what several share divided among them."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return otherwise


if __name__ == "__main__":
    main(
        float(sys.argv[1]),
        float(sys.argv[2]),
        int(sys.argv[3]),
        Limits(*map(int, sys.argv[4].split(":"))),
        sys.argv[5:],
    )
