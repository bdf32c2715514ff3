"""A Store in memory that counts its calls and can fail before or after any of them."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import BinaryIO

from windlass.spec.errors import DeliveryError
from windlass.spec.store import LARGEST_READ, PIECE, Conflict, Listed, Missing, Object, Stat, Store

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class MemoryStore:
    """A dict with preconditions; `before` and `after` see each call as `method key` and may raise.

    What a test puts into `objects` by hand is from LONG_AGO unless `written` says otherwise. `checksums` says whether
    it keeps the SHA-256 of what it has, `copies` whether it copies by itself.
    """

    objects: dict[str, bytes] = field(default_factory=dict)
    written: dict[str, datetime] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    before: Callable[[str], None] = lambda call: None
    after: Callable[[str], None] = lambda call: None
    calls: list[str] = field(default_factory=list)
    checksums: bool = True
    copies: bool = True
    lock: threading.RLock = field(default_factory=threading.RLock)

    def get(self, key: str, *, limit: int = LARGEST_READ) -> Object:
        found = self.get_if_changed(key, None, limit=limit)
        assert found is not None
        return found

    def get_if_changed(self, key: str, etag: str | None, *, limit: int = LARGEST_READ) -> Object | None:
        with self._call(f"get {key}"):
            content = self._there(key)
            if etag == _etag(content):
                return None
            if len(content) > limit:
                raise DeliveryError(f"memory://{key} has {len(content):,} bytes, and at most {limit:,} are read")
            return Object(content, _etag(content))

    def put(self, key: str, content: bytes, *, if_match: str | None = None, if_absent: bool = False) -> str:
        with self._call(f"put {key}"):
            there = self.objects.get(key)
            if if_absent and there is not None:
                raise Conflict(f"memory://{key} was written by somebody else meanwhile")
            if if_match and (there is None or _etag(there) != if_match):
                raise Conflict(f"memory://{key} was written by somebody else meanwhile")
            self._keep(key, content)
            return _etag(content)

    def pieces(self, key: str) -> Iterator[bytes]:
        with self._call(f"read {key}"):
            content = self._there(key)
        for start in range(0, len(content), PIECE):
            yield content[start : start + PIECE]

    def stat(self, key: str) -> Stat | None:
        with self._call(f"stat {key}"):
            content = self.objects.get(key)
        if content is None:
            return None
        return Stat(len(content), _etag(content), hashlib.sha256(content).hexdigest() if self.checksums else None)

    def put_file(self, key: str, file: BinaryIO, *, sha256: str, size: int) -> None:
        file.seek(0)
        content = b"".join(iter(lambda: file.read(PIECE), b""))
        with self._call(f"put {key}"):
            if (len(content), hashlib.sha256(content).hexdigest()) != (size, sha256):
                raise DeliveryError(f"memory://{key}: the file changed while it was sent; try again")
            self._keep(key, content)

    def copy(self, source: Store, source_key: str, key: str, expected: Stat) -> bool:
        if not (isinstance(source, MemoryStore) and self.copies and expected.sha256):
            return False
        with self._call(f"copy {key}"):
            content = source.objects.get(source_key)
            if content is None or _etag(content) != expected.etag:
                return False
            self._keep(key, content)
        return True

    def exists(self, key: str) -> bool:
        with self._call(f"exists {key}"):
            return key in self.objects

    def list(self, prefix: str) -> Iterator[str]:
        with self._call(f"list {prefix}"):
            return iter(sorted(key for key in self.objects if key.startswith(prefix)))

    def list_objects(self, prefix: str) -> Iterator[Listed]:
        with self._call(f"list {prefix}"):
            keys = sorted(key for key in self.objects if key.startswith(prefix))
            return iter([Listed(key, len(self.objects[key]), self.written.get(key, LONG_AGO)) for key in keys])

    def delete(self, key: str) -> None:
        with self._call(f"delete {key}"):
            self.objects.pop(key, None)
            self.written.pop(key, None)

    def _there(self, key: str) -> bytes:
        if key not in self.objects:
            raise Missing(f"there is no object memory://{key}")
        return self.objects[key]

    def _keep(self, key: str, content: bytes) -> None:
        self.objects[key] = content
        self.written[key] = self.now()

    @contextmanager
    def _call(self, name: str) -> Iterator[None]:
        """One request: `before` may keep it from arriving, `after` may lose its answer, whatever it was."""
        self.calls.append(name)
        self.before(name)
        try:
            with self.lock:
                yield
        finally:
            self.after(name)


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content).hexdigest()}"'
