"""What lint asks of cron expressions and presets: whether one is right, and the shortest time between two runs."""

from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

from windlass.spec.cron import parse_cron, why_not_cron

__all__ = ["PRESETS", "shortest_gap", "why_not_cron"]

PRESETS = ("@once", "@hourly", "@daily", "@weekly", "@monthly", "@quarterly", "@yearly")

_PRESET_GAPS = {
    "@hourly": timedelta(hours=1),
    "@daily": timedelta(days=1),
    "@weekly": timedelta(days=7),
    "@monthly": timedelta(days=28),
    "@quarterly": timedelta(days=90),
    "@yearly": timedelta(days=365),
}
_FIRST, _END = date(2024, 1, 1).toordinal(), date(2032, 1, 1).toordinal()
"""Eight years, of which one at least is a leap year, wherever one begins."""


@lru_cache(maxsize=256)
def shortest_gap(expression: str) -> timedelta | None:
    """The shortest time between two runs of a preset or a cron expression; None where it has none, or is none."""
    if expression in _PRESET_GAPS:
        return _PRESET_GAPS[expression]
    if expression.startswith("@") or why_not_cron(expression):
        return None
    cron = parse_cron(expression)
    within = [later - earlier for earlier, later in pairwise(cron.times)]
    fires = [number for number in range(_FIRST, _END) if cron.fires_on(date.fromordinal(number))]
    across = [(later - earlier) * 1440 - cron.times[-1] + cron.times[0] for earlier, later in pairwise(fires)]
    return timedelta(minutes=min(within + across)) if within or across else None
