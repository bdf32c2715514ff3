"""Objects of any S3 bucket, read a piece at a time: training data may be larger than memory."""

import hashlib
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from windlass.adapters.s3 import Bucket, open_client
from windlass.spec.errors import WindlassError
from windlass.spec.store import digest_in


class Downloads:
    """S3 with the credentials of boto3's own chain; `endpoint` is for stores other than AWS."""

    def __init__(self, endpoint: str | None = None) -> None:
        self._endpoint = endpoint

    @cached_property
    def _client(self) -> Any:
        """Opened when it is needed: most models have their data beside their code."""
        return open_client(self._endpoint or "s3://", self._endpoint)

    def digest(self, uri: str) -> str:
        """The SHA-256 of the object, in hex."""
        return digest_in(*self._found(uri))

    def fetch(self, uri: str, path: Path) -> str:
        """Writes the object to `path` and returns its SHA-256 in hex."""
        digest = hashlib.sha256()
        with path.open("wb") as file:
            for piece in self._pieces(uri):
                digest.update(piece)
                file.write(piece)
        return digest.hexdigest()

    def _pieces(self, uri: str) -> Iterator[bytes]:
        bucket, key = self._found(uri)
        return bucket.pieces(key)

    def _found(self, uri: str) -> tuple[Bucket, str]:
        name, _, key = uri.removeprefix("s3://").partition("/")
        if not uri.startswith("s3://") or not name or not key or key.endswith("/"):
            raise WindlassError(f"{uri!r} names no object; write s3://bucket/key")
        return Bucket(self._client, name), key
