"""Python is 3.11 or newer; jobs in GitLab take it from the image that `image` names."""

from collections.abc import Iterator

from windlass.doctor.examined import Examined

NAME = "python"
PLACE = "machine"
SEVERITY = "error"
MENU = "on this machine: install Python 3.11 or newer"
API = ""


def check(examined: Examined) -> Iterator[str]:
    """A sentence about an older one."""
    if examined.machine.python < (3, 11):
        yield "Python {}.{} is older than 3.11".format(*examined.machine.python)
