"""Objects in S3 as streams: read in one go that a lost connection does not end, written in parts as they come."""

import hashlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from typing import Any

from .errors import RuntimeStop

PART = 8 * 1024 * 1024
AT_ONCE = 2
TRIES = 4
_MORE_EVERY = 1000

Translated = Callable[[str, str], AbstractContextManager[None]]
"""Turns what boto3 raises for a bucket and a key into a sentence."""


class ObjectReader:
    """The bytes of an object, from its beginning to its end; when all were read their digest must be `sha256`.

    A connection that breaks is opened again where it broke (`Range`), for the same object (`If-Match`).
    """

    def __init__(self, client: Any, translated: Translated, bucket: str, key: str, sha256: str | None = None) -> None:
        self._client, self._translated, self._bucket, self._key = client, translated, bucket, key
        self._body: Any = None
        self._etag, self._size, self._at, self._wanted = "", -1, 0, sha256
        self._digest = hashlib.sha256()

    def __enter__(self) -> "ObjectReader":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._close()
        if kind is None and self._at == self._size:
            self._check()

    def read(self, size: int = -1) -> bytes:
        """At most so many bytes, nothing at the end; all that is left when `size` is negative."""
        from botocore.exceptions import (
            ConnectionClosedError,
            HTTPClientError,
            IncompleteReadError,
            ResponseStreamingError,
        )

        with self._translated(self._bucket, self._key):
            for tried in range(1, TRIES + 1):
                try:
                    self._open()
                    data: bytes = self._body.read(None if size < 0 else size) if self._at < self._size else b""
                    self._at += len(data)
                    self._digest.update(data)
                    return data
                except (ConnectionClosedError, HTTPClientError, IncompleteReadError, ResponseStreamingError):
                    self._close()
                    if tried == TRIES:
                        raise
        raise AssertionError("a try returns or raises")

    @property
    def sha256(self) -> str:
        """The digest of what was read."""
        return self._digest.hexdigest()

    def readable(self) -> bool:
        """Asked by pyarrow."""
        return True

    closed = False

    def _check(self) -> None:
        if self._wanted and self._digest.hexdigest() != self._wanted:
            raise RuntimeStop(
                f"s3://{self._bucket}/{self._key} is not what was kept: SHA-256 {self._digest.hexdigest()[:16]}... "
                f"instead of {self._wanted[:16]}...; somebody changed it"
            )

    def _open(self) -> None:
        if self._body is not None or self._at == self._size:
            return
        more = {"Range": f"bytes={self._at}-", "IfMatch": self._etag} if self._at else {}
        from botocore.exceptions import ClientError

        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key, **more)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in ("PreconditionFailed", "412"):
                raise RuntimeStop(f"s3://{self._bucket}/{self._key} was changed while it was read") from error
            raise
        if not self._at:
            self._etag, self._size = answer["ETag"], int(answer["ContentLength"])
        elif answer["ETag"] != self._etag:  # a store that does not know If-Match
            raise RuntimeStop(f"s3://{self._bucket}/{self._key} was changed while it was read")
        elif answer["ResponseMetadata"]["HTTPStatusCode"] != 206:
            raise RuntimeStop(f"S3 sends s3://{self._bucket}/{self._key} from its beginning when asked for the rest")
        self._body = answer["Body"]

    def _close(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None


class ObjectWriter:
    """A new object, there as a whole when it is left well, and not at all when it is left by an error."""

    def __init__(self, client: Any, translated: Translated, bucket: str, key: str) -> None:
        self._client, self._translated, self._where = client, translated, {"Bucket": bucket, "Key": key}
        self._buffer, self._digest = bytearray(), hashlib.sha256()
        self._upload: str | None = None
        self._parts: list[Future[dict[str, Any]]] = []
        self._waiting: deque[Future[dict[str, Any]]] = deque()
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self.size = 0

    def __enter__(self) -> "ObjectWriter":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                with self._translated(self._where["Bucket"], self._where["Key"]):
                    self._complete()
        finally:
            self._pool.shutdown(wait=True, cancel_futures=True)
            if self._upload is not None:
                with suppress(Exception):  # what led here is told already
                    self._client.abort_multipart_upload(**self._where, UploadId=self._upload)

    @property
    def sha256(self) -> str:
        """The digest of what was written."""
        return self._digest.hexdigest()

    def write(self, data: Any) -> int:
        """Takes bytes; returns how many."""
        self._digest.update(data)
        self._buffer += data
        self.size += len(data)
        most = PART * (1 + len(self._parts) // _MORE_EVERY)  # S3 takes 10,000 parts
        while len(self._buffer) >= most:
            with self._translated(self._where["Bucket"], self._where["Key"]):
                self._send(most)
        return len(data)

    def flush(self) -> None:
        """Asked by gzip and pyarrow; bytes go when there are enough of them."""

    def writable(self) -> bool:
        """Asked by pyarrow."""
        return True

    def tell(self) -> int:
        """Asked by pyarrow."""
        return self.size

    closed = False

    def _send(self, size: int) -> None:
        if self._upload is None:
            self._upload = self._client.create_multipart_upload(**self._where)["UploadId"]
        while len(self._waiting) >= AT_ONCE:
            self._waiting.popleft().result()
        body = bytes(memoryview(self._buffer)[:size])  # only now, and once: parts are what takes the memory
        del self._buffer[:size]
        number = len(self._parts) + 1
        self._parts.append(self._pool.submit(self._send_part, number, body))
        self._waiting.append(self._parts[-1])

    def _send_part(self, number: int, body: bytes) -> dict[str, Any]:
        sent = self._client.upload_part(**self._where, UploadId=self._upload, PartNumber=number, Body=body)
        return {"PartNumber": number, "ETag": sent["ETag"]}

    def _complete(self) -> None:
        if self._upload is None:
            self._client.put_object(**self._where, Body=bytes(self._buffer), Metadata={"sha256": self.sha256})
            return
        if self._buffer:
            self._send(len(self._buffer))
        parts = [part.result() for part in self._parts]
        self._client.complete_multipart_upload(**self._where, UploadId=self._upload, MultipartUpload={"Parts": parts})
        self._upload = None
