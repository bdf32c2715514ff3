"""Asks a store many things at once: what a long history needs is bound by the answers' delay, not by their number."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")

_AT_ONCE = 16
"""As many as a bucket keeps connections for."""


def side_by_side(ask: Callable[[Asked], Answer], things: Iterable[Asked]) -> list[Answer]:
    """The answer for each of `things`, in their order; the first exception stops what has not begun yet."""
    waiting = list(things)
    if len(waiting) < 2:
        return [ask(thing) for thing in waiting]
    with ThreadPoolExecutor(min(_AT_ONCE, len(waiting))) as pool:
        asked = [pool.submit(ask, thing) for thing in waiting]
        try:
            return [one.result() for one in asked]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
