"""A Store in memory that counts its calls and can fail before or after any of them."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from windlass.spec.store import Conflict, Listed, Missing, Object

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class MemoryStore:
    """A dict with preconditions; `before` and `after` see each call as `method key` and may raise.

    What a test puts into `objects` by hand is from LONG_AGO unless `written` says otherwise.
    """

    objects: dict[str, bytes] = field(default_factory=dict)
    written: dict[str, datetime] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    before: Callable[[str], None] = lambda call: None
    after: Callable[[str], None] = lambda call: None
    calls: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def get(self, key: str) -> Object:
        found = self.get_if_changed(key, None)
        assert found is not None
        return found

    def get_if_changed(self, key: str, etag: str | None) -> Object | None:
        with self._call(f"get {key}"):
            if key not in self.objects:
                raise Missing(f"there is no object memory://{key}")
            content = self.objects[key]
            return None if etag == _etag(content) else Object(content, _etag(content))

    def put(self, key: str, content: bytes, *, if_match: str | None = None, if_absent: bool = False) -> str:
        with self._call(f"put {key}"):
            there = self.objects.get(key)
            if if_absent and there is not None:
                raise Conflict(f"memory://{key} was written by somebody else meanwhile")
            if if_match and (there is None or _etag(there) != if_match):
                raise Conflict(f"memory://{key} was written by somebody else meanwhile")
            self.objects[key] = content
            self.written[key] = self.now()
            return _etag(content)

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
