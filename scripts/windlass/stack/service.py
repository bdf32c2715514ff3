"""One program of the stack: how it is started and how one knows that it works."""

import hashlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import requests

from windlass import __version__

PASSED_ON = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


@dataclass(frozen=True)
class Service:
    """What `up` starts: a command with its own environment, its log, and a question whose answer None means healthy."""

    name: str
    url: str
    command: list[str]
    environment: dict[str, str] = field(repr=False)
    folder: Path
    log: Path
    ailing: Callable[[], str | None]
    patience: float
    files: dict[Path, str] = field(default_factory=dict, repr=False)
    """Written for the owner only before each start."""

    @property
    def fingerprint(self) -> str:
        """Changes when the service would be started with something else than last time."""
        text = json.dumps([__version__, self.command, self.environment], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def ask(url: str) -> requests.Response | None:
    """A service's answer, or None when there is none; proxies are for other machines than this one."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(url, timeout=5)
        except requests.RequestException:
            return None


def answers(url: str) -> str | None:
    """None when `url` answers well, else what one sees instead."""
    answer = ask(url)
    if answer is None:
        return "does not answer yet"
    return None if answer.ok else f"answers {answer.status_code}"


def base_environment() -> dict[str, str]:
    """Little of the caller's environment: nothing of a person's cloud or proxy settings reaches the stack."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return kept | {"PATH": search_path(), "PYTHONUNBUFFERED": "1"}


def search_path() -> str:
    """PATH with this Python's folder first, so that `windlass`, `python` and `airflow` are this environment's."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def last_lines(log: Path, count: int = 8) -> str:
    """The last lines of a log, indented; empty when there is none."""
    try:
        lines = log.read_text(errors="replace").splitlines()[-count:]
    except FileNotFoundError:
        return ""
    return "\n".join(f"    {line}" for line in lines)
