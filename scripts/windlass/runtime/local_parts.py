"""Parts of a file in folders of this machine: written aside, and in their place only when all of them are whole."""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any, BinaryIO

from .counting_ahead import count_ahead
from .csv_dialect import Dialect
from .csv_text import Cut
from .errors import RuntimeStop
from .merging import merge
from .splitting import part_name, split

MOST_PARTS = 100_000
"""Parts that have five digits: sorted by their names, as a shell lists them, they are in their order."""

Seen = Callable[[int], None]
"""Is told how many bytes of the files were read since it was called before."""


@dataclass(frozen=True)
class LocalFile:
    """A file as a source."""

    path: Path
    seen: Seen = lambda _: None

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.path.name

    @property
    def size(self) -> int:
        """In bytes, as it lies there."""
        return self.path.stat().st_size

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The file's bytes."""
        with self.path.open("rb", buffering=0) as file:
            yield _Watched(file, self.seen)  # type: ignore[misc]  # a file in all but its class


class _Watched:
    """A file that tells how far it was read."""

    def __init__(self, file: Any, seen: Seen) -> None:
        self._file, self._seen = file, seen

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._file.read(size)
        self._seen(len(data))
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def split_here(
    source: LocalFile, cut: Cut, folder: Path, name: str, dialect: Dialect, *, force: bool = False
) -> list[Path]:
    """The parts of a file in `folder`; without `force`, parts that lie there already are refused, else replaced."""
    if Path(name).name != name:
        raise RuntimeStop(f"{name!r} is no file name; --out says the folder")
    folder.mkdir(parents=True, exist_ok=True)
    old = _parts_in(folder, name)
    if old and not force:
        raise RuntimeStop(f"{old[0]} is there already; choose another folder, or replace all such parts by --force")
    if any(path.samefile(source.path) for path in old):
        raise RuntimeStop(f"{source.path} would be replaced by its own parts; choose another folder or --name")
    with _aside(folder) as scratch:
        count = split(
            source,
            cut,
            name,
            lambda part: (scratch / part).open("xb"),
            dialect,
            MOST_PARTS,
            count_ahead=partial(count_ahead, source.path),
        )
        made = [part_name(name, number) for number in range(count)]
        _put_in_place(scratch, folder, made, old)
    return [folder / part for part in made]


def merge_here(sources: list[LocalFile], target: Path, dialect: Dialect, *, force: bool = False) -> None:
    """Puts files together; without `force`, a target that is there already is refused."""
    if target.exists() and not force:
        raise RuntimeStop(f"{target} is there already; choose another name, or replace it by --force")
    target.parent.mkdir(parents=True, exist_ok=True)
    with _aside(target.parent) as scratch:
        merge(sources, _behind(scratch / target.name), target.name, dialect)
        (scratch / target.name).replace(target)


def _parts_in(folder: Path, name: str) -> list[Path]:
    """The files that are called like parts: five digits, so that a year or a day behind a dash is none."""
    stem, dot, extension = name.partition(".")
    wanted = re.compile(re.escape(f"{stem}-") + "[0-9]{5}" + re.escape(f"{dot}{extension}"))
    return sorted(path for path in folder.iterdir() if wanted.fullmatch(path.name))


def _put_in_place(scratch: Path, folder: Path, made: list[str], old: list[Path]) -> None:
    """Moves the parts that were made to where the old ones are; all of them, or after an error none."""
    aside = scratch / "old"
    aside.mkdir()
    try:
        for path in old:
            path.replace(aside / path.name)
        for part in made:
            (scratch / part).replace(folder / part)
    except BaseException:
        for part in made:
            if not (scratch / part).exists():
                (folder / part).unlink(missing_ok=True)
        for path in aside.iterdir():
            path.replace(folder / path.name)
        raise


@contextmanager
def _behind(path: Path) -> Iterator["_Behind"]:
    """A new file that another thread writes, while this one looks for the next record."""
    with path.open("xb") as file:
        writer = _Behind(file)
        try:
            yield writer
        finally:
            writer.end()


class _Behind:
    """Takes bytes in their order; what goes wrong with them is raised by a later call."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._error = file, None
        self._queue: Queue[Any] = Queue(maxsize=16)
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    _error: OSError | None

    def write(self, data: Any) -> int:
        """Takes bytes, which must not change any more; returns how many."""
        if self._error is not None:
            raise self._error
        self._queue.put(data)
        return len(data)

    def end(self) -> None:
        """Waits until all is written."""
        self._queue.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while (data := self._queue.get()) is not None:
            if self._error is None:
                try:
                    self._file.write(data)
                except OSError as error:
                    self._error = error


@contextmanager
def _aside(folder: Path) -> Iterator[Path]:
    """A folder on the same disk, gone in the end, also after Ctrl-C."""
    scratch = Path(tempfile.mkdtemp(prefix=".windlass-", dir=folder))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
