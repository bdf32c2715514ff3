"""The output of a container on its way into Airflow's log: whole lines, and of very many the first and the last."""

from collections.abc import Iterable, Iterator

from .lines import FirstAndLast, Lines


def bounded(stream: Iterable[bytes], tail: list[str]) -> Iterator[bytes]:
    """What of `stream` is to be shown, as lines; its last lines are put into `tail` when it has ended."""
    ready: list[str] = []
    shown = FirstAndLast(ready.append)
    lines = Lines(shown)
    for chunk in stream:
        lines.feed(chunk)
        yield from _taken(ready)
    lines.feed(b"", final=True)
    shown.close()
    yield from _taken(ready)
    tail[:] = lines.tail


def _taken(ready: list[str]) -> Iterator[bytes]:
    yield from (f"{line}\n".encode() for line in ready)
    ready.clear()
