"""Runs a shell script as a process that cannot hang, cannot see secrets and cannot leave anything running."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from .lines import FirstAndLast, Lines

GRACE = timedelta(seconds=10)


@dataclass(frozen=True)
class Limits:
    """What a script may take before it is killed; 0 is no limit. `memory` and `disk_left` are bytes.

    `memory` is what all of its processes use together, `disk_left` what its disk must keep free, `disk` what its folder
    may hold in a container, and `flavor` the size of machine that memory and disk are of, as a message names it.
    """

    memory: int = 0
    processes: int = 1000
    disk_left: int = 64 * 1024 * 1024
    flavor: str = ""
    disk: int = 0


@dataclass(frozen=True)
class Finished:
    """How a script ended; `reason` goes on after "the script" and is None when it ended well.

    `tail` holds its last lines, `peak` the most bytes of memory that one of its processes had, where that is known.
    """

    code: int | None
    seconds: float
    reason: str | None
    tail: tuple[str, ...]
    peak: int | None = None


def run_script(
    script: str,
    folder: Path,
    time_limit: timedelta,
    log: Callable[[str], None],
    environment: Mapping[str, str] | None = None,
    grace: timedelta = GRACE,
    limits: Limits | None = None,
    stop: int | None = None,
) -> Finished:
    """Runs `script` with `sh` in `folder`; each line that it prints goes to `log`, of very many the first and last.

    The script sees `clean_environment` and `environment`, nothing else: no credentials of the worker. At the time limit
    its whole process group gets SIGTERM and, after the grace, SIGKILL; the same when this process is stopped or dies.
    One that goes beyond `limits` is killed at once. When the file descriptor `stop` can be read, it is ended too.
    """
    limits = limits or Limits()
    output, output_end = os.pipe()
    status, status_end = os.pipe()
    warden = str(Path(__file__).with_name("warden.py"))
    watched = [str(time_limit.total_seconds()), str(grace.total_seconds()), str(status_end)]
    watched.append(f"{limits.memory}:{limits.processes}:{limits.disk_left}")
    begin = time.monotonic()
    shown = FirstAndLast(log)
    lines = Lines(shown)
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", warden, *watched, "/bin/sh", "-c", script],
            cwd=folder,
            env={**clean_environment(folder), **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=output_end,
            stderr=output_end,
            pass_fds=[status_end],
            start_new_session=True,
        )
    except (OSError, ValueError) as error:  # too long for the system, or with a zero byte
        os.close(output)
        os.close(status)
        what = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
        return Finished(None, 0.0, f"could not be started ({what.lower()})", ())
    finally:
        os.close(output_end)
        os.close(status_end)
    assert process.stdin is not None
    try:
        report = _follow(output, status, lines, stop, process.stdin.close)
    finally:
        process.stdin.close()  # tells the warden to end whatever still runs
        process.wait()
        os.close(output)
        os.close(status)
    shown.close()
    code, reason, peak = _read_report(report, time_limit, limits)
    return Finished(code, time.monotonic() - begin, reason, tuple(lines.tail), peak)


def clean_environment(folder: Path) -> dict[str, str]:
    """What every script sees: the Python that runs windlass comes first in PATH."""
    path = os.environ.get("PATH", os.defpath)
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), path]),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }


def _follow(output: int, status: int, lines: Lines, stop: int | None, end: Callable[[], None]) -> str:
    """Passes output on until the warden has ended and nothing more can be read; returns what the warden reported."""
    report = b""
    os.set_blocking(output, False)
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        selector.register(status, selectors.EVENT_READ)
        if stop is not None:
            selector.register(stop, selectors.EVENT_READ)
        watching = True
        while watching:
            for key, _ in selector.select():
                if key.fd == output and not _pass_on(output, lines):
                    selector.unregister(output)
                elif key.fd == stop:
                    selector.unregister(stop)
                    end()
                elif key.fd == status:
                    chunk = os.read(status, 4096)
                    report += chunk
                    watching = bool(chunk)
    while _pass_on(output, lines):
        pass
    lines.feed(b"", final=True)
    return report.decode()


def _pass_on(output: int, lines: Lines) -> bool:
    try:
        chunk = os.read(output, 65536)
    except BlockingIOError:
        return False
    lines.feed(chunk)
    return bool(chunk)


def _read_report(report: str, time_limit: timedelta, limits: Limits) -> tuple[int | None, str | None, int | None]:
    """Exit code, reason and peak of memory in what the warden reported; a warden that was killed reports no end."""
    started, _, end = report.partition("\n")
    if not end:
        if started:
            _kill_group(int(started.split()[1]))
        return None, "ended unseen: the process that watches over it was killed", None
    code, how, peak = end.split()
    return int(code), end_reason(int(code), how, time_limit, limits), int(peak)


def end_reason(code: int, how: str, time_limit: timedelta, limits: Limits | None = None) -> str | None:
    """Why a script did not end well, None when it did: a signal is negative.

    `how` is ended, timeout or stopped, or the limit that it went beyond: memory, processes or disk.
    """
    limits = limits or Limits()
    if how == "timeout":
        return f"was stopped at its time limit of {_shown(time_limit)}"
    if how == "stopped":
        return "was stopped from outside"
    if how == "memory":
        has = f" of its flavor {limits.flavor!r}" if limits.flavor else " that it may use"
        return f"was ended because it needs more memory than the {_size(limits.memory)}{has}"
    if how == "processes":
        return f"was ended because it started more than {limits.processes} processes at once"
    if how == "disk" and limits.disk:
        return f"was ended because it needs more disk than the {_size(limits.disk)} of its flavor {limits.flavor!r}"
    if how == "disk":
        return f"was ended because it filled its disk: less than {_size(limits.disk_left)} were left"
    if code == -signal.SIGKILL:
        return "was killed by SIGKILL; too little memory is the usual cause"
    if code < 0:
        named = -code in {each.value for each in signal.Signals}
        return f"was killed by {signal.Signals(-code).name if named else f'signal {-code}'}"
    return f"ended with exit code {code}" if code else None


def size_in_bytes(size: str) -> int:
    """`4Gi` as a number."""
    return int(size[:-2]) * {"Mi": 1024**2, "Gi": 1024**3}[size[-2:]]


def _size(count: int) -> str:
    """`64Mi`, as flavors are written."""
    gibi = 1024**3
    return f"{count // gibi}Gi" if count % gibi == 0 else f"{count / 1024**2:g}Mi"


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return


def _shown(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            count = seconds // size
            return f"{count} {word}{'s' if count > 1 else ''}"
    return f"{length.total_seconds():g} second{'' if seconds == 1 else 's'}"
