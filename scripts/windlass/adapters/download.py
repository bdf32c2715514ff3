"""Objects of any S3 bucket, read a piece at a time: training data may be larger than memory."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from windlass.adapters.s3 import translated
from windlass.spec.errors import WindlassError

CHUNK = 1024 * 1024


class Downloads:
    """S3 with the credentials of boto3's own chain; `endpoint` is for stores other than AWS."""

    def __init__(self, endpoint: str | None = None) -> None:
        config = Config(
            connect_timeout=5,
            retries={"mode": "standard", "total_max_attempts": 4},
            s3={"addressing_style": "path"} if endpoint else None,
        )
        with translated(endpoint or "s3://"):
            self._client: Any = boto3.session.Session().client("s3", endpoint_url=endpoint, config=config)

    def digest(self, uri: str) -> str:
        """The SHA-256 of the object, in hex."""
        digest = hashlib.sha256()
        for chunk in self._chunks(uri):
            digest.update(chunk)
        return digest.hexdigest()

    def fetch(self, uri: str, path: Path) -> str:
        """Writes the object to `path` and returns its SHA-256 in hex."""
        digest = hashlib.sha256()
        with path.open("wb") as file:
            for chunk in self._chunks(uri):
                digest.update(chunk)
                file.write(chunk)
        return digest.hexdigest()

    def _chunks(self, uri: str) -> Iterator[bytes]:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        if not uri.startswith("s3://") or not bucket or not key or key.endswith("/"):
            raise WindlassError(f"{uri!r} names no object; write s3://bucket/key")
        with translated(uri):
            yield from self._client.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(CHUNK)
