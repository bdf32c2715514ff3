"""Runs a shell script as a process that cannot hang, cannot see secrets and cannot leave anything running."""

import io
import os
import selectors
import signal
import subprocess
import sys
import time
from codecs import getincrementaldecoder
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

GRACE = timedelta(seconds=10)
LINE_LENGTH = 4000
TAIL = 20


@dataclass(frozen=True)
class Finished:
    """How a script ended; `reason` goes on after "the script" and is None when it ended well.

    `tail` holds its last lines.
    """

    code: int | None
    seconds: float
    reason: str | None
    tail: tuple[str, ...]


def run_script(
    script: str,
    folder: Path,
    time_limit: timedelta,
    log: Callable[[str], None],
    environment: Mapping[str, str] | None = None,
    grace: timedelta = GRACE,
) -> Finished:
    """Runs `script` with `sh` in `folder`; each line that it prints goes to `log`, cut at `LINE_LENGTH` characters.

    The script sees `clean_environment` and `environment`, nothing else: no credentials of the worker. At the time limit
    its whole process group gets SIGTERM and, after the grace, SIGKILL; the same when this process is stopped or dies.
    """
    output, output_end = os.pipe()
    status, status_end = os.pipe()
    warden = str(Path(__file__).with_name("warden.py"))
    limits = [str(time_limit.total_seconds()), str(grace.total_seconds()), str(status_end)]
    begin = time.monotonic()
    lines = _Lines(log)
    try:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", warden, *limits, "/bin/sh", "-c", script],
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
    try:
        report = _follow(output, status, lines)
    finally:
        assert process.stdin is not None
        process.stdin.close()  # tells the warden to end whatever still runs
        process.wait()
        os.close(output)
        os.close(status)
    code, reason = _read_report(report, time_limit)
    return Finished(code, time.monotonic() - begin, reason, tuple(lines.tail))


def clean_environment(folder: Path) -> dict[str, str]:
    """What every script sees: the Python that runs windlass comes first in PATH."""
    path = os.environ.get("PATH", os.defpath)
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), path]),
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }


class _Lines:
    """Cuts bytes into lines of text; what is not UTF-8 becomes U+FFFD and a carriage return ends a line too."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self.tail: deque[str] = deque(maxlen=TAIL)
        self._log = log
        self._decoder = io.IncrementalNewlineDecoder(getincrementaldecoder("utf-8")(errors="replace"), translate=True)
        self._rest = ""
        self._cutting = False

    def feed(self, chunk: bytes, *, final: bool = False) -> None:
        *whole, self._rest = (self._rest + self._decoder.decode(chunk, final=final)).split("\n")
        for line in whole:
            self._emit(line)
            self._cutting = False
        if len(self._rest) > LINE_LENGTH or (final and self._rest):
            self._emit(self._rest)
            self._cutting, self._rest = True, ""

    def _emit(self, line: str) -> None:
        if self._cutting:
            return
        if len(line) > LINE_LENGTH:
            line = line[:LINE_LENGTH] + " ... (cut)"
        self.tail.append(line)
        self._log(line)


def _follow(output: int, status: int, lines: _Lines) -> str:
    """Passes output on until the warden has ended and nothing more can be read; returns what the warden reported."""
    report = b""
    os.set_blocking(output, False)
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        selector.register(status, selectors.EVENT_READ)
        watching = True
        while watching:
            for key, _ in selector.select():
                if key.fd == output and not _pass_on(output, lines):
                    selector.unregister(output)
                elif key.fd == status:
                    chunk = os.read(status, 4096)
                    report += chunk
                    watching = bool(chunk)
    while _pass_on(output, lines):
        pass
    lines.feed(b"", final=True)
    return report.decode()


def _pass_on(output: int, lines: _Lines) -> bool:
    try:
        chunk = os.read(output, 65536)
    except BlockingIOError:
        return False
    lines.feed(chunk)
    return bool(chunk)


def _read_report(report: str, time_limit: timedelta) -> tuple[int | None, str | None]:
    """The exit code and the reason in what the warden reported; a warden that was killed reports no end."""
    started, _, end = report.partition("\n")
    if not end:
        if started:
            _kill_group(int(started.split()[1]))
        return None, "ended unseen: the process that watches over it was killed"
    word, how = end.split()
    code = int(word)
    if how == "timeout":
        return code, f"was stopped at its time limit of {_shown(time_limit)}"
    if how == "stopped":
        return code, "was stopped from outside"
    if code == -signal.SIGKILL:
        return code, "was killed by SIGKILL; too little memory is the usual cause"
    if code < 0:
        named = -code in {each.value for each in signal.Signals}
        return code, f"was killed by {signal.Signals(-code).name if named else f'signal {-code}'}"
    return code, f"ended with exit code {code}" if code else None


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
