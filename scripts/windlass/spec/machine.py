"""A machine as windlass sees it: which of the programs that it calls are there."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """Versions of what runs windlass; None for what is not there. `node` and `rsync` are for `windlass rehearse`."""

    windlass: str
    python: tuple[int, int]
    git: str | None
    rsync: bool = False
    node: bool = False
