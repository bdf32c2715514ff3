"""Work that waits outside of Python, done so that the signals by which Airflow ends a task are heard meanwhile."""

import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Thread
from typing import TypeVar

GRACE = 30.0
"""Seconds in which work must end after it was cancelled."""
AGAIN = 0.5
"""Seconds after which it is cancelled again: what is cancelled just before it begins does not notice."""

T = TypeVar("T")


def interruptible(work: Callable[[], T], cancel: Callable[[], None], abandon: Callable[[], None]) -> T:
    """What `work` returns or raises.

    A driver that waits in C lets no handler of a signal run; so another thread waits for it. What such a handler raises
    here calls `cancel` and is raised again as soon as the work has ended. Work that does not heed that ends by
    `abandon`: nothing that it uses may be freed while it goes on.
    """
    result: Future[T] = Future()

    def run() -> None:
        if not result.set_running_or_notify_cancel():
            return
        try:
            result.set_result(work())
        except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits
            result.set_exception(error)

    try:
        Thread(target=run, daemon=True).start()  # it waits for the thread: the handler may raise here too
        return result.result()
    except BaseException:
        if result.cancel():
            raise  # it had not begun, and never does
        end = time.monotonic() + GRACE
        while not result.done() and time.monotonic() < end:
            cancel()
            wait([result], AGAIN)
        if not result.done():
            abandon()
            wait([result], GRACE)
        raise
