"""Work in another thread ends before what interrupts it goes on, whenever that comes."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from windlass.runtime import interruptible as module
from windlass.runtime.interruptible import interruptible


class Stop(Exception):
    """What the handler of a signal raises."""


class Work:
    """Waits until it is cancelled or abandoned, and writes down what happened."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.begun, self.cancelled = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.said.append("begun")
        self.begun.set()
        assert self.cancelled.wait(30)
        self.said.append("ended")

    def cancel(self) -> None:
        self.said.append("cancelled")
        self.cancelled.set()

    def abandon(self) -> None:
        self.said.append("abandoned")


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[threading.Thread], None]], None]:
    """Puts a function in the place of Thread.start, which a signal may interrupt at any point."""

    def put(starting: Callable[[threading.Thread], None]) -> None:
        class Interrupted(threading.Thread):
            def start(self) -> None:
                starting(self)

        monkeypatch.setattr(module, "Thread", Interrupted)

    return put


def test_what_is_raised_while_the_thread_starts_cancels_the_work_and_waits_for_its_end(start: Any) -> None:
    work = Work()

    def begin_and_stop(thread: threading.Thread) -> None:
        threading.Thread.start(thread)
        assert work.begun.wait(30)
        raise Stop

    start(begin_and_stop)
    with pytest.raises(Stop):
        interruptible(work, work.cancel, work.abandon)
    assert work.said == ["begun", "cancelled", "ended"]


def test_work_that_had_not_begun_never_begins(start: Any) -> None:
    work = Work()
    threads: list[threading.Thread] = []

    def stop_first(thread: threading.Thread) -> None:
        threads.append(thread)
        raise Stop

    start(stop_first)
    with pytest.raises(Stop):
        interruptible(work, work.cancel, work.abandon)
    threading.Thread.start(threads[0])
    threads[0].join(30)
    assert work.said == []


def test_what_the_work_gives_and_raises_comes_back() -> None:
    nothing = Work()
    assert interruptible(lambda: 7, nothing.cancel, nothing.abandon) == 7
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda: 1 / 0, nothing.cancel, nothing.abandon)
    assert nothing.said == []
