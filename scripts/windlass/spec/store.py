"""The port to an object store: what delivery and training need of S3, so that a dict in memory can stand in for it."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from windlass.spec.errors import DeliveryError, WindlassError

LARGEST_READ = 65 * 1024 * 1024
"""The most bytes that `get` takes into memory: the largest archive, and some. Larger things are read in pieces."""
PIECE = 1024 * 1024
"""The bytes that are in memory at once of an object that is read in pieces."""


class Missing(WindlassError):
    """There is no object of that key."""


class Conflict(DeliveryError):
    """The object is not as the precondition says: somebody else wrote it first."""


@dataclass(frozen=True)
class Object:
    """The content of an object and the tag that stands for exactly this content in preconditions."""

    content: bytes
    etag: str


@dataclass(frozen=True)
class Stat:
    """What a store knows of an object without reading it: `size` in bytes, its etag, and its SHA-256 in hex.

    `sha256` is None where the store keeps no checksum, or one of pieces and not of the whole.
    """

    size: int
    etag: str
    sha256: str | None

    def contradicts(self, sha256: str, size: int) -> bool:
        """Whether this cannot be the content of that SHA-256 and size."""
        return self.size != size or self.sha256 not in (None, sha256)


@dataclass(frozen=True)
class Listed:
    """An object as a listing shows it: `size` in bytes, `modified` when it was last written (UTC)."""

    key: str
    size: int
    modified: datetime


class Store(Protocol):
    """One bucket. Every method raises TransientError (no answer), ServiceError (refused) or what it names."""

    def get(self, key: str, *, limit: int = LARGEST_READ) -> Object:
        """The object; Missing when there is none, DeliveryError, before it is read, when it is larger than `limit`."""

    def get_if_changed(self, key: str, etag: str | None, *, limit: int = LARGEST_READ) -> Object | None:
        """The object as `get` gives it, or None when it still has `etag`: one conditional request."""

    def pieces(self, key: str) -> Iterator[bytes]:
        """The object's bytes, a PIECE at a time, whatever its size; Missing when there is none."""

    def stat(self, key: str) -> Stat | None:
        """What the store knows of the object, or None when there is none: one request."""

    def put(self, key: str, content: bytes, *, if_match: str | None = None, if_absent: bool = False) -> str:
        """Writes the object and returns its etag; Conflict when the precondition does not hold."""

    def put_file(self, key: str, file: BinaryIO, *, sha256: str, size: int) -> None:
        """Writes the object from the beginning of `file`, which is never in memory as a whole.

        The object appears when all of it has arrived, and with that SHA-256 wherever the store can tell.
        """

    def copy(self, source: "Store", source_key: str, key: str, expected: Stat) -> bool:
        """Lets the store itself copy the object that `expected` describes from `source`; whether it vouches for that.

        False, without an error, when it cannot, may not, keeps no checksums, or when the copy's SHA-256 is not known:
        then the caller has to carry the bytes.
        """

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""

    def list(self, prefix: str) -> Iterator[str]:
        """The keys that begin with `prefix`, sorted."""

    def list_objects(self, prefix: str) -> Iterator[Listed]:
        """The objects whose keys begin with `prefix`, sorted by key: as many requests as `list`."""

    def delete(self, key: str) -> None:
        """Removes the object; one that is not there is as good as removed."""


def digest_in(store: Store, key: str) -> str:
    """The SHA-256 in hex of the object's bytes, read from the first to the last; Missing when there is none."""
    digest = hashlib.sha256()
    for piece in store.pieces(key):
        digest.update(piece)
    return digest.hexdigest()


def holds(store: Store, key: str, sha256: str, size: int | None = None) -> bool:
    """Whether the object is there with exactly that content; it is read where the store keeps no checksum of it."""
    found = store.stat(key)
    if found is None or found.contradicts(sha256, found.size if size is None else size):
        return False
    return found.sha256 is not None or digest_in(store, key) == sha256
