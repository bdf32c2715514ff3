"""Tells a person how far a long transfer is: a line for each tenth of it, and none for small ones."""

import threading
from collections.abc import Callable

_WORTH_TELLING = 64 * 1024 * 1024
_UNITS = ("bytes", "KB", "MB", "GB", "TB")


class Meter:
    """Counts what arrives of `total` bytes, from any thread; `say` gets the lines."""

    def __init__(self, what: str, total: int, say: Callable[[str], None]) -> None:
        self._what, self._total, self._say = what, total, say
        self._step = max(_WORTH_TELLING, total // 10)
        self._done = self._told = 0
        self._lock = threading.Lock()

    def add(self, size: int) -> None:
        """`size` more bytes have arrived."""
        with self._lock:
            self._done += size
            is_worth_it = self._done - self._told >= self._step and self._done < self._total
            if is_worth_it:
                self._told = self._done
                self._say(f"{self._what}: {amount(self._done)} of {amount(self._total)}")


def amount(size: int) -> str:
    """`size` bytes as a person says it: 1.2 GB."""
    value, unit = float(size), 0
    while value >= 1000 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{size} bytes" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"
