"""The SHA-256 of an object as S3 sends and keeps it; a checksum of a multipart upload's parts is not one."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from typing import Any


def sent(content: bytes) -> dict[str, str]:
    """The arguments of a PUT that let S3 check and keep the SHA-256 of `content`."""
    return of(hashlib.sha256(content).hexdigest())


def of(sha256: str) -> dict[str, str]:
    """The arguments of a PUT that let S3 check and keep the SHA-256 given in hex."""
    return {"ChecksumAlgorithm": "SHA256", "ChecksumSHA256": base64.b64encode(bytes.fromhex(sha256)).decode()}


def kept(answer: Mapping[str, Any], etag: str) -> str | None:
    """The SHA-256 in hex of the whole object that `answer` tells of, or None when it tells none.

    Of an object in parts S3 keeps the checksum of the parts' checksums: it ends in their number, as the etag does, or
    says COMPOSITE; some stores leave one or the other away.
    """
    text = answer.get("ChecksumSHA256") or ""
    if "-" in text or "-" in etag or answer.get("ChecksumType") == "COMPOSITE":
        return None
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw.hex() if len(raw) == 32 else None
