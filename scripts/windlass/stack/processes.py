"""Processes that outlive the command that starts them, and that are never mistaken for a stranger with the same number.

A process is known by its number, its start time and the machine's boot: a number that was used again is not ours.
Each one leads its own session, so whatever it starts can be found and stopped with it (Linux: read from /proc).
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
KILLED = 5.0
"""Seconds within which the kernel ends a killed process."""


@dataclass(frozen=True)
class Identity:
    """One process on one boot of this machine."""

    pid: int
    started: int
    boot: str


def start(command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path) -> Identity:
    """The identity of a new session leader that runs `command` in `folder` and writes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    identity = identify(process.pid)
    _CHILDREN[process.pid] = process
    return identity


def identify(pid: int) -> Identity:
    """The identity of the process that has the number `pid` now."""
    return Identity(pid, _stat(pid).started, boot())


def is_alive(identity: Identity) -> bool:
    """Whether this very process still runs."""
    if identity.boot != boot():
        return False
    _reap(identity.pid)
    try:
        stat = _stat(identity.pid)
    except ProcessLookupError:
        return False
    return stat.started == identity.started and stat.state != "Z"


def members(identity: Identity) -> list[int]:
    """The living processes of this one's session and their descendants, itself included."""
    if identity.boot != boot():
        return []
    _reap(identity.pid)
    table = _table()
    leader = table.get(identity.pid)
    if leader is not None and leader.started != identity.started:
        return []  # the number was given to somebody else, so the old session is gone
    found = {pid for pid, stat in table.items() if stat.session == identity.pid}
    while more := {pid for pid, stat in table.items() if stat.parent in found and pid not in found}:
        found |= more
    return sorted(pid for pid in found if table[pid].state != "Z")


def lost(home: Path, known: Iterable[Identity]) -> list[Identity]:
    """This stack's services that no record names: `home` was removed while they ran, or an `up` was killed.

    They are modules of this package that were started right below `home`.
    """
    home, found, named = home.resolve(), [], {identity.pid for identity in known}
    for pid, stat in _table().items():
        if stat.session == pid and stat.state != "Z" and pid not in named:
            with contextlib.suppress(OSError):
                words = (PROC / str(pid) / "cmdline").read_text(errors="replace").split("\0")
                # a removed folder is shown as "FOLDER (deleted)": only its parent counts here
                if (PROC / str(pid) / "cwd").readlink().parent == home and f"{__package__}." in " ".join(words[1:3]):
                    found.append(Identity(pid, stat.started, boot()))
    return found


def stop(identities: Iterable[Identity], grace: float = 10.0) -> None:
    """Ends these processes and all that they started: TERM to the leaders, KILL to what is left after `grace` s."""
    left = {identity: set(members(identity)) for identity in identities}
    told: set[int] = set()
    deadline = time.monotonic() + grace
    while _refreshed(left) and time.monotonic() < deadline:
        for identity, pids in left.items():
            leader = {identity.pid} if is_alive(identity) else pids  # a leader ends its children in its own order
            for pid in (leader & pids) - told:
                _signal(pid, signal.SIGTERM)
                told.add(pid)
        time.sleep(0.05)
    deadline = time.monotonic() + KILLED
    while _refreshed(left) and time.monotonic() < deadline:
        for pids in left.values():
            for pid in pids:
                _signal(pid, signal.SIGKILL)
        time.sleep(0.05)


def boot() -> str:
    """The kernel's name for the present boot."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


@dataclass(frozen=True)
class _Stat:
    state: str
    parent: int
    session: int
    started: int


_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}
"""Children of this very command: they are waited for, so that a dead one does not stay as a zombie."""


def _stat(pid: int) -> _Stat:
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError) as error:
        raise ProcessLookupError(pid) from error
    fields = text.rpartition(")")[2].split()  # the name before it may hold spaces and brackets
    return _Stat(state=fields[0], parent=int(fields[1]), session=int(fields[3]), started=int(fields[19]))


def _table() -> dict[int, _Stat]:
    table = {}
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(ProcessLookupError):
                table[int(folder.name)] = _stat(int(folder.name))
    return table


def _reap(pid: int) -> None:
    if pid in _CHILDREN and _CHILDREN[pid].poll() is not None:
        del _CHILDREN[pid]


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _refreshed(left: dict[Identity, set[int]]) -> bool:
    """Whether any of `left` still lives; what they started meanwhile has joined `left`, what ended has left it."""
    for identity, pids in left.items():
        living = set(members(identity))
        pids &= {pid for pid, stat in _table().items() if stat.state != "Z"}
        pids |= living
    return any(left.values())
