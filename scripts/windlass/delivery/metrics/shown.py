"""The four keys as words and figures for a person."""

from windlass.delivery.metrics.four_keys import FourKeys

_BARS = "▁▂▃▄▅▆▇█"
_NOTHING = "-"
HEADINGS = ("project", "deployments", "per week", "lead time", "failed", "restored in", "trend")


def cells(keys: FourKeys) -> tuple[str, ...]:
    """One row below HEADINGS; `-` is: nothing to reckon from."""
    failed = f"{keys.failed} of {keys.deployments}"
    rate = _NOTHING if keys.failure_rate is None else f"{failed} ({keys.failure_rate:.0%})"
    restored = _NOTHING if keys.restore_time is None else rough(keys.restore_time)
    if keys.failed > keys.restored:
        restored += f" ({keys.failed - keys.restored} not yet)"
    return (
        keys.project or "all",
        str(keys.deployments),
        f"{keys.per_week:.3g}",
        _NOTHING if keys.lead_time is None else rough(keys.lead_time),
        rate,
        restored,
        sparkline(keys.trend),
    )


def rough(seconds: float) -> str:
    """`40 s`, `12 min`, `5.2 h` or `3.1 days`."""
    for below, size, unit in ((90, 1, "s"), (5_400, 60, "min")):
        if seconds < below:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 3_600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} days"


def sparkline(counts: tuple[int, ...]) -> str:
    """A bar for each count, as high as it is; a dot for nothing."""
    most = max(counts, default=0)
    return "".join(_BARS[-(-count * len(_BARS) // most) - 1] if count else "·" for count in counts)
