"""The port to an object store: what delivery and training need of S3, so that a dict in memory can stand in for it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from windlass.spec.errors import DeliveryError, WindlassError


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
class Listed:
    """An object as a listing shows it: `size` in bytes, `modified` when it was last written (UTC)."""

    key: str
    size: int
    modified: datetime


class Store(Protocol):
    """One bucket. Every method raises TransientError (no answer), ServiceError (refused) or what it names."""

    def get(self, key: str) -> Object:
        """The object; Missing when there is none."""

    def get_if_changed(self, key: str, etag: str | None) -> Object | None:
        """The object, or None when it still has `etag`: one conditional request. Missing when there is none."""

    def put(self, key: str, content: bytes, *, if_match: str | None = None, if_absent: bool = False) -> str:
        """Writes the object and returns its etag; Conflict when the precondition does not hold."""

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""

    def list(self, prefix: str) -> Iterator[str]:
        """The keys that begin with `prefix`, sorted."""

    def list_objects(self, prefix: str) -> Iterator[Listed]:
        """The objects whose keys begin with `prefix`, sorted by key: as many requests as `list`."""

    def delete(self, key: str) -> None:
        """Removes the object; one that is not there is as good as removed."""
