"""A bucket on S3 as a Store; boto3's exceptions become one sentence that names the object and what to do."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore import exceptions
from botocore.config import Config
from botocore.loaders import Loader, create_loader

from windlass.spec.errors import ServiceError, TransientError
from windlass.spec.store import Conflict, Listed, Missing, Object, Store

_ABSENT = {"NoSuchKey", "404", "NotFound"}
_CONFLICT = {"PreconditionFailed", "412", "ConditionalRequestConflict"}
_CREDENTIALS = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "AuthFailure", "InvalidIdentityToken"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}
_BUSY = {"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling", "ThrottlingException"}
_KEYS = "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or the role"


def open_bucket(
    name: str, endpoint: str | None = None, region: str | None = None, *, timeout: float = 60, attempts: int = 4
) -> Store:
    """The bucket `name` with the credentials of boto3's own chain; `endpoint` is for stores other than AWS.

    A request that gets no answer for `timeout` seconds is given up, and repeated until there were `attempts`.
    """
    other = endpoint or os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    config = Config(
        connect_timeout=min(5, timeout),
        read_timeout=timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=16,
        s3={"addressing_style": "path"} if other else None,
        request_checksum_calculation="when_required" if other else "when_supported",
        response_checksum_validation="when_required" if other else "when_supported",
    )
    with translated(f"s3://{name}"):
        session = botocore.session.Session()
        session.register_component("data_loader", _service_models())
        boto = boto3.session.Session(botocore_session=session)
        client = boto.client("s3", endpoint_url=endpoint or None, region_name=region, config=config)
    return Bucket(client, name)


@cache
def _service_models() -> Loader:
    """botocore's description of S3, parsed once: that is most of what a new client costs."""
    return create_loader(os.environ.get("AWS_DATA_PATH"))


class Bucket:
    """The Store over one boto3 client; the client may be shared by threads."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name
        self._is_there = False

    def __repr__(self) -> str:
        return f"s3://{self._name}"

    def get(self, key: str) -> Object:
        """The object; Missing when there is none."""
        found = self.get_if_changed(key, None)
        assert found is not None
        return found

    def get_if_changed(self, key: str, etag: str | None) -> Object | None:
        """The object, or None when it still has `etag`: one conditional request. Missing when there is none."""
        condition = {"IfNoneMatch": etag} if etag else {}
        try:
            with translated(self._uri(key)):
                answer = self._client.get_object(Bucket=self._name, Key=key, **condition)
                return Object(answer["Body"].read(), answer["ETag"])
        except _NotModified:
            return None

    def put(self, key: str, content: bytes, *, if_match: str | None = None, if_absent: bool = False) -> str:
        """Writes the object and returns its etag; Conflict when the precondition does not hold."""
        condition = {"IfMatch": if_match} if if_match else {}
        if if_absent:
            condition["IfNoneMatch"] = "*"
        try:
            with translated(self._uri(key)):
                etag: str = self._client.put_object(Bucket=self._name, Key=key, Body=content, **condition)["ETag"]
                return etag
        except Missing as missing:  # If-Match on an object that is gone
            raise Conflict(f"{self._uri(key)} is gone: somebody removed it meanwhile") from missing

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        try:
            with translated(self._uri(key)):
                self._client.head_object(Bucket=self._name, Key=key)
        except Missing:
            self._require_bucket()
            return False
        return True

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
                self._client.delete_object(Bucket=self._name, Key=key)
        except Missing:  # AWS answers 204 either way, and some other stores do not
            self._require_bucket()

    def _require_bucket(self) -> None:
        """An answer to HEAD does not say whether the object or the whole bucket is missing: asks once."""
        if self._is_there:
            return
        try:
            self._client.head_bucket(Bucket=self._name)
        except exceptions.ClientError as error:
            if _status(error) == 404:
                raise _no_bucket(self._uri("")) from error
        except exceptions.BotoCoreError:
            return
        self._is_there = True

    def _uri(self, key: str) -> str:
        return f"s3://{self._name}/{key}"


class _NotModified(Exception):
    """The object still has the etag that was asked about."""


@contextmanager
def translated(uri: str) -> Iterator[None]:
    """Turns what boto3 raises about `uri` into this project's exceptions."""
    try:
        yield
    except exceptions.ClientError as error:
        raise _answered(uri, error) from error
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as error:
        raise ServiceError(f"{uri}: no credentials for S3; set {_KEYS}") from error
    except (exceptions.CredentialRetrievalError, exceptions.TokenRetrievalError, exceptions.ProfileNotFound) as error:
        raise ServiceError(f"{uri}: the credentials for S3 cannot be read ({error}); correct {_KEYS}") from error
    except (exceptions.HTTPClientError, exceptions.ConnectionError, exceptions.IncompleteReadError) as error:
        raise TransientError(f"{uri}: S3 does not answer ({_reason(error)}); try again in a moment") from error
    except (exceptions.BotoCoreError, ValueError) as error:
        raise ServiceError(f"{uri}: {_reason(error)}; correct s3 in the environment's file") from error


def _answered(uri: str, error: exceptions.ClientError) -> Exception:
    """What the answer in `error` means."""
    code, status = str(error.response.get("Error", {}).get("Code", "")), _status(error)
    if status == 304:
        return _NotModified()
    if code == "NoSuchBucket":
        return _no_bucket(uri)
    if code in _ABSENT:
        return Missing(f"there is no object {uri}")
    if code in _CONFLICT:
        return Conflict(f"{uri} was written by somebody else meanwhile")
    if code in _EXPIRED:
        return ServiceError(f"{uri}: the credentials for S3 have expired; renew {_KEYS}")
    if code in _CREDENTIALS:
        return ServiceError(f"{uri}: S3 does not know these credentials ({code}); correct {_KEYS}")
    if code in _BUSY or status >= 500 or status == 429:
        return TransientError(f"{uri}: S3 is busy ({code or status}); try again in a moment")
    if status in (401, 403) or code == "AccessDenied":
        action = error.operation_name
        return ServiceError(f"{uri}: S3 refuses {action} to these credentials ({code}); let their policy allow it")
    return ServiceError(f"{uri}: S3 refuses {error.operation_name}: {code or status}")


def _no_bucket(uri: str) -> ServiceError:
    name = uri.removeprefix("s3://").partition("/")[0]
    return ServiceError(f"there is no bucket {name!r}; create it or correct s3 in the environment's file ({uri})")


def _status(error: exceptions.ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _reason(error: Exception) -> str:
    text = str(error).strip().rstrip(".")
    return text[:1].lower() + text[1:] if text else type(error).__name__
