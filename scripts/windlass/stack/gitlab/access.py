"""Who calls: the operator's private token may do everything, a job token reads and does what GitLab lets jobs do."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from .call import JOB, OPERATOR


@dataclass(frozen=True)
class Tokens:
    """The two tokens of a stack."""

    operator: str = field(repr=False)
    job: str = field(repr=False)

    def caller(self, headers: Mapping[str, str]) -> str | None:
        """`operator`, `job`, or None when no header holds a token that is known."""
        token = headers.get("private-token") or headers.get("job-token") or _authorization(headers)
        if token is None:
            return None
        for name, known in ((OPERATOR, self.operator), (JOB, self.job)):
            if hmac.compare_digest(token.encode(), known.encode()):
                return name
        return None


def _authorization(headers: Mapping[str, str]) -> str | None:
    """The token of `Authorization: Bearer TOKEN`, or the password of `Authorization: Basic` (as git sends it)."""
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() != "basic":
        return None
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None
