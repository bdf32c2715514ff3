"""What boto3 raises becomes one sentence that names the object and what to do."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore import exceptions

from windlass.adapters import web_identity
from windlass.spec.errors import ServiceError, TransientError
from windlass.spec.store import Conflict, Missing

_ABSENT = {"NoSuchKey", "404", "NotFound"}
_CONFLICT = {"PreconditionFailed", "412", "ConditionalRequestConflict"}
_CREDENTIALS = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "AuthFailure", "InvalidIdentityToken"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}
_BUSY = {"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "Throttling", "ThrottlingException"}
_DAMAGED = {"BadDigest", "XAmzContentSHA256Mismatch", "XAmzContentChecksumMismatch", "IncompleteBody"}
_KEYS = "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or the role"


class NotModified(Exception):
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
        if unreadable := web_identity.unreadable(uri, error):
            raise unreadable from error
        raise ServiceError(f"{uri}: {_reason(error)}; correct s3 in the environment's file") from error
    except OSError as error:
        if unreadable := web_identity.unreadable(uri, error):
            raise unreadable from error
        raise


def _answered(uri: str, error: exceptions.ClientError) -> Exception:
    """What the answer in `error` means."""
    code, status = str(error.response.get("Error", {}).get("Code", "")), status_of(error)
    if status == 304:
        return NotModified()
    if refused := web_identity.refused(uri, error):
        return refused
    if code == "NoSuchBucket":
        return no_bucket(uri)
    if code in _ABSENT:
        return Missing(f"there is no object {uri}")
    if code in _CONFLICT:
        return Conflict(f"{uri} was written by somebody else meanwhile")
    if code in _DAMAGED:
        return TransientError(f"{uri}: what arrived is not what was sent ({code}), and was not kept; try again")
    if code in _EXPIRED:
        return ServiceError(f"{uri}: the credentials for S3 have expired; renew {_KEYS}")
    if code == "RequestTimeTooSkewed":
        return ServiceError(f"{uri}: S3 refuses what is signed at this time; set the clock of this machine right")
    if code in _CREDENTIALS:
        return ServiceError(f"{uri}: S3 does not know these credentials ({code}); correct {_KEYS}")
    if code in _BUSY or (status >= 500 and status != 501) or status == 429:
        return TransientError(f"{uri}: S3 is busy ({code or status}); try again in a moment")
    if status in (401, 403) or code == "AccessDenied":
        action = error.operation_name
        return ServiceError(f"{uri}: S3 refuses {action} to these credentials ({code}); let their policy allow it")
    return ServiceError(f"{uri}: S3 refuses {error.operation_name}: {code or status}")


def no_bucket(uri: str) -> ServiceError:
    """There is no bucket of the name in `uri`."""
    name = uri.removeprefix("s3://").partition("/")[0]
    return ServiceError(f"there is no bucket {name!r}; create it or correct s3 in the environment's file ({uri})")


def etag_of(uri: str, answer: Mapping[str, Any]) -> str:
    """The etag in an answer; ServiceError when there is none, for then a web page answers and no store."""
    etag = answer.get("ETag")
    if not isinstance(etag, str):
        raise ServiceError(
            f"{uri}: what answers is no S3 store, for it sends no ETag; "
            "correct s3.endpoint in the environment's file, or AWS_ENDPOINT_URL"
        )
    return etag


def status_of(error: exceptions.ClientError) -> int:
    """The HTTP status of the answer in `error`."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _reason(error: Exception) -> str:
    text = re.sub(r"(?<=://)[^/\s]+@", "", str(error)).strip().rstrip(".")  # an endpoint may have an account in it
    return text[:1].lower() + text[1:] if text else type(error).__name__
