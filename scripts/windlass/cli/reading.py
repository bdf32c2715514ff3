"""How far a file was read, on a terminal; and what stops the runtime, as what stops a command."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(name: str, size: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error while a file is read; it is told how many bytes more were. Nothing where no one looks."""
    from windlass.cli import console

    if not console.err.is_terminal:
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console.err, transient=True) as bar:
        task = bar.add_task(name, total=size)
        yield lambda count: bar.update(task, advance=count)


@contextmanager
def stops() -> Iterator[None]:
    """Turns the runtime's stop, and a value that it refuses, into the sentence that ends a command."""
    from windlass.runtime.errors import RuntimeStop
    from windlass.spec.errors import WindlassError

    try:
        yield
    except (RuntimeStop, ValueError) as error:
        raise WindlassError(str(error)) from error
