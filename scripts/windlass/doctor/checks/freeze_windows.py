"""No freeze window of a gate is over: a year that was mistyped freezes nothing, and looks as if it did.

`windlass lint` says nothing of it, so that no merge request fails because a holiday has ended.
"""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from windlass.doctor.examined import Examined
from windlass.spec.freeze import FreezeOnce

NAME = "freeze-windows"
PLACE = "platform"
SEVERITY = "warning"
MENU = "gate: freeze: in environments/ENV.yml of the platform project"
API = ""


def check(examined: Examined) -> Iterator[str]:
    """A sentence for each window that has ended."""
    for environment in examined.gated():
        assert environment.gate is not None
        for window in environment.gate.freeze:
            if isinstance(window, FreezeOnce):
                now = examined.at.astimezone(ZoneInfo(window.timezone)).replace(tzinfo=None)
                if window.end < now:
                    yield (
                        f"the freeze of {environment.name!r} ({window.reason}) ended at {window.end:%Y-%m-%d %H:%M}: "
                        "take it out, or correct its year"
                    )
