"""Files in S3: fetched with their digest checked, kept with it recorded. Every refusal is one sentence."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .errors import RuntimeStop
from .s3_streams import ObjectReader, ObjectWriter

CHUNK = 1024 * 1024
_MISSING = {"404", "NoSuchKey", "NotFound"}
_REFUSED = {"401", "403", "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"}


class Storage:
    """S3 as boto3 finds it in its default chain, at `endpoint` when that is given."""

    def __init__(self, endpoint: str | None = None, client: Any = None) -> None:
        self._client = client or _client(endpoint)
        self._endpoint = endpoint or "AWS"

    def fetch(self, bucket: str, key: str, path: Path, sha256: str | None = None) -> tuple[str, int]:
        """Writes the object to `path` and returns its SHA-256 and size; a content other than `sha256` is refused."""
        reader = self.reader(bucket, key, sha256)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with reader, path.open("wb") as file:
                while chunk := reader.read(CHUNK):
                    file.write(chunk)
        except BaseException:
            path.unlink(missing_ok=True)  # half a file must not be taken for one
            raise
        return reader.sha256, path.stat().st_size

    def chunks(self, bucket: str, key: str) -> Iterator[bytes]:
        """The object's bytes, a piece at a time."""
        with self._translated(bucket, key):
            yield from self._client.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(CHUNK)

    def piece(self, bucket: str, key: str, begin: int, count: int) -> bytes:
        """At most `count` bytes of the object from `begin` on; none where it ends before."""
        from botocore.exceptions import ClientError

        with self._translated(bucket, key):
            try:
                found = self._client.get_object(Bucket=bucket, Key=key, Range=f"bytes={begin}-{begin + count - 1}")
                return bytes(found["Body"].read())
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") in ("InvalidRange", "416"):
                    return b""
                raise

    def reader(self, bucket: str, key: str, sha256: str | None = None) -> ObjectReader:
        """The object as a stream; when all of it was read, a content other than `sha256` is refused."""
        return ObjectReader(self._client, self._translated, bucket, key, sha256)

    def writer(self, bucket: str, key: str) -> ObjectWriter:
        """A new object as a stream; it is there when the stream is left well."""
        return ObjectWriter(self._client, self._translated, bucket, key)

    def keep(self, bucket: str, key: str, path: Path) -> dict[str, Any]:
        """Puts the file into S3 and returns the reference by which another task fetches it."""
        sha256, size = digest_of(path)
        with self._translated(bucket, key):
            self._client.upload_file(str(path), bucket, key, ExtraArgs={"Metadata": {"sha256": sha256}})
        return {"key": key, "sha256": sha256, "size": size, "name": path.name}

    def size(self, bucket: str, key: str) -> int | None:
        """The size of an object in bytes; None when there is none."""
        from botocore.exceptions import ClientError

        with self._translated(bucket, key):
            try:
                return int(self._client.head_object(Bucket=bucket, Key=key)["ContentLength"])
            except ClientError as error:
                if error.response.get("Error", {}).get("Code") in _MISSING:
                    return None
                raise

    def reference(self, bucket: str, key: str) -> dict[str, Any]:
        """The reference of an object that was kept elsewhere, with the SHA-256 that was recorded there."""
        with self._translated(bucket, key):
            found = self._client.head_object(Bucket=bucket, Key=key)
        sha256 = found.get("Metadata", {}).get("sha256")
        if not sha256:
            raise RuntimeStop(f"s3://{bucket}/{key} has no SHA-256 with it; windlass has not kept it")
        size = int(found["ContentLength"])
        return {"key": key, "sha256": sha256, "size": size, "name": key.rpartition("/")[2]}

    def copy(self, bucket: str, source: str, target: str, size: int) -> None:
        """Copies an object inside the bucket without moving its bytes through this machine; `size` is checked."""
        with self._translated(bucket, source):
            self._client.copy({"Bucket": bucket, "Key": source}, bucket, target)
        with self._translated(bucket, target):
            copied = int(self._client.head_object(Bucket=bucket, Key=target)["ContentLength"])
        if copied != size:
            raise RuntimeStop(f"s3://{bucket}/{target} has {copied} bytes after the copy instead of {size}")

    def credentials(self) -> dict[str, str]:
        """The environment variables with which another process has the rights of this one."""
        import boto3

        found = boto3.session.Session().get_credentials()
        if found is None:
            raise RuntimeStop("there are no credentials for S3 on this worker; set AWS_ACCESS_KEY_ID or a role")
        now = found.get_frozen_credentials()
        variables = {"AWS_ACCESS_KEY_ID": now.access_key, "AWS_SECRET_ACCESS_KEY": now.secret_key}
        return {**variables, "AWS_SESSION_TOKEN": now.token} if now.token else variables

    @contextmanager
    def _translated(self, bucket: str, key: str) -> Iterator[None]:
        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

        where = f"s3://{bucket}/{key}"
        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "?"))
            if code == "NoSuchBucket":
                raise RuntimeStop(f"there is no bucket {bucket!r} at {self._endpoint}") from error
            if code in _MISSING:
                raise RuntimeStop(f"there is no object {where}") from error
            if code in _REFUSED:
                raise RuntimeStop(f"S3 refuses access to {where} ({code}); check this worker's credentials") from error
            raise RuntimeStop(f"S3 answers {code} for {where}") from error
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise RuntimeStop(f"there are no credentials for {where}; set AWS_ACCESS_KEY_ID or a role") from error
        except (BotoCoreError, Boto3Error) as error:
            raise RuntimeStop(f"S3 at {self._endpoint} cannot be reached for {where}: {error}") from error


def digest_of(path: Path) -> tuple[str, int]:
    """The SHA-256 and the size of a file, read a piece at a time."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return digest.hexdigest(), size


def _client(endpoint: str | None) -> Any:
    import boto3
    from botocore.config import Config

    checksums = "when_required" if endpoint else "when_supported"  # not every store knows AWS's newer checksums
    retries: dict[str, Any] = {"mode": "standard"}
    if not os.environ.get("AWS_MAX_ATTEMPTS"):  # which boto3 reads by itself
        retries["total_max_attempts"] = 4
    config = Config(
        retries=retries,
        connect_timeout=10,
        read_timeout=60,
        s3={"addressing_style": "path"} if endpoint else {},
        request_checksum_calculation=checksums,
        response_checksum_validation=checksums,
    )
    return boto3.session.Session().client("s3", endpoint_url=endpoint, config=config)
