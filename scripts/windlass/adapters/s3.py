"""A bucket on S3 as a Store."""

import os
from collections.abc import Iterator
from datetime import UTC
from functools import cache
from typing import Any, BinaryIO

import boto3
import botocore.session
from botocore import exceptions
from botocore.config import Config
from botocore.loaders import Loader, create_loader

from windlass.adapters import s3_checksum
from windlass.adapters.s3_answers import NotModified, etag_of, no_bucket, status_of, translated
from windlass.adapters.s3_parts import put_parts
from windlass.spec.errors import DeliveryError, ServiceError, TransientError
from windlass.spec.store import LARGEST_READ, PIECE, Conflict, Listed, Missing, Object, Stat, Store

LARGEST_PUT = 5 * 1024**3
"""The most bytes that S3 takes in one PUT or in one copy."""
PART = 16 * 1024**2
_ATTEMPTS = 4
_RESUMED = 3
"""How often in a row an answer that breaks off is taken up again where it ended."""


def open_bucket(
    name: str,
    endpoint: str | None = None,
    region: str | None = None,
    *,
    timeout: float = 60,
    attempts: int | None = None,
    largest_put: int = LARGEST_PUT,
    part: int = PART,
) -> "Bucket":
    """The bucket `name` with the credentials of boto3's own chain; `endpoint` is for stores other than AWS.

    A request that gets no answer for `timeout` seconds is given up, and repeated until there were `attempts`: as many
    as AWS_MAX_ATTEMPTS says, or 4, where that is None.
    Files of more than `largest_put` bytes are sent in parts of `part` bytes.
    """
    client = open_client(f"s3://{name}", endpoint, region, timeout=timeout, attempts=attempts)
    return Bucket(client, name, largest_put=largest_put, part=part)


def open_client(
    where: str,
    endpoint: str | None = None,
    region: str | None = None,
    *,
    timeout: float = 60,
    attempts: int | None = None,
) -> Any:
    """A boto3 client as `open_bucket` describes it; `where` is what its errors are about."""
    other = endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    retries: dict[str, Any] = {"mode": "standard"}
    if attempts or not os.environ.get("AWS_MAX_ATTEMPTS"):  # which boto3 reads by itself
        retries["total_max_attempts"] = attempts or _ATTEMPTS
    config = Config(
        connect_timeout=min(5, timeout),
        read_timeout=timeout,
        retries=retries,
        max_pool_connections=16,
        # a store that knows no checksums still checks the signature, and with it what it covers: the content
        s3={"addressing_style": "path", "payload_signing_enabled": True} if other else None,
        request_checksum_calculation="when_required" if other else "when_supported",
        response_checksum_validation="when_required" if other else "when_supported",
    )
    with translated(where):
        session = botocore.session.Session()
        session.register_component("data_loader", _service_models())
        boto = boto3.session.Session(botocore_session=session)
        return boto.client("s3", endpoint_url=endpoint or None, region_name=region, config=config)


@cache
def _service_models() -> Loader:
    """botocore's description of S3, parsed once: that is most of what a new client costs."""
    return create_loader(os.environ.get("AWS_DATA_PATH"))


class Bucket:
    """The Store over one boto3 client; the client may be shared by threads."""

    def __init__(self, client: Any, name: str, *, largest_put: int = LARGEST_PUT, part: int = PART) -> None:
        self._client = client
        self._name = name
        self._largest_put = largest_put
        self._part = part
        self._is_there = False

    def __repr__(self) -> str:
        return f"s3://{self._name}"

    def get(self, key: str, *, limit: int = LARGEST_READ) -> Object:
        """The object; Missing when there is none, DeliveryError, before it is read, when it is larger than `limit`."""
        found = self.get_if_changed(key, None, limit=limit)
        assert found is not None
        return found

    def get_if_changed(self, key: str, etag: str | None, *, limit: int = LARGEST_READ) -> Object | None:
        """The object as `get` gives it, or None when it still has `etag`: one conditional request."""
        condition = {"IfNoneMatch": etag} if etag else {}
        try:
            with translated(self._uri(key)):
                answer = self._client.get_object(**self._where(key), **condition)
                self._is_there = True
                if answer["ContentLength"] > limit:
                    answer["Body"].close()
                    raise DeliveryError(
                        f"{self._uri(key)} has {answer['ContentLength']:,} bytes, and at most {limit:,} are read; "
                        "windlass did not write it: put back what was there"
                    )
                return Object(answer["Body"].read(), etag_of(self._uri(key), answer))
        except NotModified:
            return None

    def pieces(self, key: str) -> Iterator[bytes]:
        """The object's bytes, a PIECE at a time; an answer that breaks off is taken up again where it ended."""
        offset, etag, broken = 0, "", 0
        while True:
            rest = {"Range": f"bytes={offset}-", "IfMatch": etag} if offset else {}
            try:
                with translated(self._uri(key)):
                    answer = self._client.get_object(**self._where(key), **rest)
                    if rest and answer["ResponseMetadata"]["HTTPStatusCode"] != 206:
                        raise ServiceError(f"{self._uri(key)}: S3 broke off and does not send the rest; try again")
                    etag = etag_of(self._uri(key), answer)
                    for piece in answer["Body"].iter_chunks(PIECE):
                        offset, broken = offset + len(piece), 0
                        yield piece
                    return
            except TransientError:
                broken += 1
                if not offset or broken > _RESUMED:
                    raise

    def stat(self, key: str) -> Stat | None:
        """What S3 knows of the object, or None when there is none."""
        try:
            with translated(self._uri(key)):
                answer = self._client.head_object(**self._where(key), ChecksumMode="ENABLED")
        except Missing:
            self._require_bucket()
            return None
        self._is_there = True
        etag = etag_of(self._uri(key), answer)
        return Stat(answer["ContentLength"], etag, s3_checksum.kept(answer, etag))

    def put(self, key: str, content: bytes, *, if_match: str | None = None, if_absent: bool = False) -> str:
        """Writes the object and returns its etag; Conflict when the precondition does not hold."""
        condition = {"IfMatch": if_match} if if_match else {}
        if if_absent:
            condition["IfNoneMatch"] = "*"
        sent = s3_checksum.sent(content)
        try:
            with translated(self._uri(key)):
                answer = self._client.put_object(**self._where(key), Body=content, **sent, **condition)
        except Missing as missing:  # If-Match on an object that is gone
            raise Conflict(f"{self._uri(key)} is gone: somebody removed it meanwhile") from missing
        self._is_there = True
        return etag_of(self._uri(key), answer)

    def put_file(self, key: str, file: BinaryIO, *, sha256: str, size: int) -> None:
        """Writes the object from the beginning of `file`, which is never in memory as a whole."""
        file.seek(0)
        with translated(self._uri(key)):
            if size > self._largest_put:
                put_parts(self._client, self._where(key), file, sha256=sha256, size=size, part=self._part)
            else:
                sent = s3_checksum.of(sha256)
                self._client.put_object(**self._where(key), Body=file, ContentLength=size, **sent)

    def copy(self, source: Store, source_key: str, key: str, expected: Stat) -> bool:
        """Lets S3 copy the object; True when it says that the copy has the SHA-256 that is expected."""
        if not isinstance(source, Bucket) or source._endpoint != self._endpoint:
            return False
        if expected.sha256 is None or expected.size > self._largest_put:
            return False
        try:
            with translated(self._uri(key)):
                result = self._client.copy_object(
                    **self._where(key),
                    CopySource=source._where(source_key),
                    CopySourceIfMatch=expected.etag,
                    ChecksumAlgorithm="SHA256",
                )["CopyObjectResult"]
        except (ServiceError, Conflict, Missing):  # not to these credentials, not offered, or altered meanwhile
            return False
        if s3_checksum.kept(result, result.get("ETag", "")) == expected.sha256:
            return True
        found = self.stat(key)
        return found is not None and (found.size, found.sha256) == (expected.size, expected.sha256)

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        return self.stat(key) is not None

    def list(self, prefix: str) -> Iterator[str]:
        """The keys that begin with `prefix`, sorted."""
        return (found.key for found in self.list_objects(prefix))

    def list_objects(self, prefix: str) -> Iterator[Listed]:
        """The objects whose keys begin with `prefix`, sorted by key: as many requests as `list`."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=prefix)
        with translated(self._uri(prefix)):
            for page in pages:
                for item in page.get("Contents", []):
                    yield Listed(item["Key"], item["Size"], item["LastModified"].astimezone(UTC))

    def delete(self, key: str) -> None:
        """Removes the object; one that is not there is as good as removed."""
        try:
            with translated(self._uri(key)):
                self._client.delete_object(**self._where(key))
        except Missing:  # AWS answers 204 either way, and some other stores do not
            self._require_bucket()

    def _require_bucket(self) -> None:
        """An answer to HEAD does not say whether the object or the whole bucket is missing: asks once."""
        if self._is_there:
            return
        try:
            self._client.head_bucket(Bucket=self._name)
        except exceptions.ClientError as error:
            if status_of(error) == 404:
                raise no_bucket(self._uri("")) from error
        except exceptions.BotoCoreError:
            return
        self._is_there = True

    @property
    def _endpoint(self) -> str:
        return str(self._client.meta.endpoint_url)

    def _where(self, key: str) -> dict[str, str]:
        return {"Bucket": self._name, "Key": key}

    def _uri(self, key: str) -> str:
        return f"s3://{self._name}/{key}"
