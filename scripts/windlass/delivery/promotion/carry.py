"""Carries files from one bucket to another, whatever their size: the store copies them itself, or they go through here.

A store that keeps the SHA-256 of the source and of the copy carries the bytes itself. Any other way, they are read into
a spool on disk, checked there, and only then written: under the final key there is the right file or the one before.
"""

import hashlib
import io
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Literal, cast

from windlass.spec.errors import DeliveryError, ServiceError
from windlass.spec.store import PIECE, Stat, Store, holds

AT_ONCE = 4
_IN_MEMORY = 4 * PIECE
"""The largest file that needs no disk on its way."""
_LOOK = 0.2
"""Seconds after which a wait looks up: Python does not notice a Ctrl-C that comes just as it lies down to wait."""

Way = Literal["there already", "copied by S3", "carried through here"]
Told = Callable[[int], None]


@dataclass(frozen=True)
class Cargo:
    """One file to carry: what to call it in an error, its keys, and the content it must have; None: any size.

    `is_wanting` says that the target was looked at already, and does not have it.
    """

    name: str
    source_key: str
    key: str
    sha256: str
    size: int | None
    is_wanting: bool = False


def carry_all(source: Store, target: Store, cargo: Sequence[Cargo], told: Told = lambda size: None) -> list[Way]:
    """Brings every file over, some at once, and says how each went; `told` hears of bytes as they arrive.

    The first error stops all of them, and so does Ctrl-C: nothing goes on in the background.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            under_way = [pool.submit(_carry, source, target, one, told, stop) for one in cargo]
            waiting = set(under_way)
            while waiting:
                done, waiting = wait(waiting, timeout=_LOOK, return_when=FIRST_COMPLETED)
                for one in done:
                    one.result()
        except BaseException:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return [one.result() for one in under_way]


def _carry(source: Store, target: Store, cargo: Cargo, told: Told, stop: threading.Event) -> Way:
    if not cargo.is_wanting and holds(target, cargo.key, cargo.sha256, cargo.size):
        told(cargo.size or 0)
        return "there already"
    found = source.stat(cargo.source_key)
    if found is None:
        raise DeliveryError(f"{cargo.name} is missing: {cargo.source_key}")
    if found.contradicts(cargo.sha256, found.size if cargo.size is None else cargo.size):
        raise _altered(cargo)
    if target.copy(source, cargo.source_key, cargo.key, found):
        told(found.size)
        return "copied by S3"
    with _spool(found.size) as file:
        _fill(file, source, cargo, found, told, stop)
        target.put_file(cargo.key, cast(BinaryIO, _Stoppable(file, stop)), sha256=cargo.sha256, size=found.size)
    return "carried through here"


def _fill(file: BinaryIO, source: Store, cargo: Cargo, found: Stat, told: Told, stop: threading.Event) -> None:
    """Reads the object into `file`; DeliveryError unless it is what was expected."""
    digest, size = hashlib.sha256(), 0
    for piece in source.pieces(cargo.source_key):
        if stop.is_set():
            raise _Stopped
        digest.update(piece)
        size += len(piece)
        if size > found.size:
            break
        file.write(piece)
        told(len(piece))
    if size != found.size or digest.hexdigest() != cargo.sha256:
        raise _altered(cargo)


def _altered(cargo: Cargo) -> DeliveryError:
    return DeliveryError(f"{cargo.name} was altered: its SHA-256 is not {cargo.sha256[:12]}... or its size another")


@contextmanager
def _spool(size: int) -> Iterator[BinaryIO]:
    """A file for `size` bytes whose room on the disk is taken at once: a disk does not get full half-way."""
    if size <= _IN_MEMORY:
        yield io.BytesIO()
        return
    with tempfile.TemporaryFile(prefix="windlass-") as file:
        if hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(file.fileno(), 0, size)
            except OSError as error:
                raise ServiceError(
                    f"there is no room for {size:,} bytes in {tempfile.gettempdir()} ({error.strerror}); "
                    "free some, or let TMPDIR name a larger disk"
                ) from error
        yield cast(BinaryIO, file)


class _Stopped(BaseException):
    """Another file failed, or somebody pressed Ctrl-C: this one goes no further, and nobody tries it again."""


class _Stoppable:
    """A file whose next `read` ends the upload that it is read for, when everything is to stop."""

    def __init__(self, file: BinaryIO, stop: threading.Event) -> None:
        self._file, self._stop = file, stop

    def read(self, size: int = -1) -> bytes:
        if self._stop.is_set():
            raise _Stopped
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()
