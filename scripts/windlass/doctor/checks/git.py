"""git is installed: commits, tags and the files of a release are read by it."""

from collections.abc import Iterator

from windlass.doctor.examined import Examined

NAME = "git"
PLACE = "machine"
SEVERITY = "error"
MENU = "on this machine: install git"
API = ""


def check(examined: Examined) -> Iterator[str]:
    """A sentence when there is none."""
    if examined.machine.git is None:
        yield "git is not there, or does not say its version"
