"""Which objects of an Airflow windlass keeps: `<prefix>/owned.json`, changed by compare-and-swap.

Of what was sent it holds salted scrypt digests, for Airflow does not tell its secrets: a changed one is found by them.
"""

import hashlib
import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from windlass.spec.airflow_object import MASKED, Key, Wanted
from windlass.spec.errors import DeliveryError
from windlass.spec.store import Conflict, Missing, Store

_STRICT = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class OwnedObject(BaseModel):
    """One kept object. `created` by windlass, else taken over; not `settled` while a change of it may be half done."""

    model_config = _STRICT

    created: bool
    settled: bool
    sent: dict[str, str] = {}


class Owned(BaseModel):
    """The whole record; `writer` names the run that wrote it, so that a run knows its own writing again."""

    model_config = _STRICT

    format: Literal[1] = 1
    salt: str
    writer: str = ""
    objects: dict[str, OwnedObject] = {}

    def to_json(self) -> bytes:
        """The bytes that are stored."""
        return (self.model_dump_json(indent=1) + "\n").encode()

    def digest(self, key: Key, field: str, content: SecretStr) -> str:
        """What stands for `content` in this record: equal contents of two fields have unlike digests."""
        return _scrypt(content.get_secret_value(), f"{self.salt}/{key.path}/{field}")

    def digests(self, wanted: Wanted) -> dict[str, str]:
        """The digests of the fields that Airflow may mask."""
        contents = {field: wanted.fields.get(field) for field in sorted(MASKED[wanted.key.kind])}
        return {
            field: self.digest(wanted.key, field, content) for field, content in contents.items() if content is not None
        }


@dataclass(frozen=True)
class Record:
    """The record as it was read, and the etag that its successor must name; None where there was none yet."""

    owned: Owned
    etag: str | None


@lru_cache(maxsize=1000)
def _scrypt(secret: str, salt: str) -> str:
    """Slow on purpose, some 30 ms: who can read the record should not be able to try many passwords."""
    return hashlib.scrypt(secret.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=32).hex()


def owned_key(prefix: str) -> str:
    """Where the record of an environment is kept."""
    return f"{prefix}/owned.json"


def load_owned(store: Store, prefix: str) -> Record:
    """The record of the environment at `prefix`; an empty one where there is none."""
    try:
        found = store.get(owned_key(prefix))
    except Missing:
        return Record(Owned(salt=secrets.token_hex(16)), None)
    try:
        return Record(Owned.model_validate_json(found.content), found.etag)
    except ValidationError as error:
        raise DeliveryError(
            f"{owned_key(prefix)} is not a record of windlass ({error.error_count()} errors); restore an earlier one, "
            "or remove it and take over with --adopt what windlass had made"
        ) from error


def save_owned(store: Store, prefix: str, owned: Owned, etag: str | None) -> str:
    """Writes the record in the place of the one with `etag` and returns its own; Conflict when that is gone."""
    content = owned.to_json()
    try:
        return store.put(owned_key(prefix), content, if_match=etag, if_absent=etag is None)
    except Conflict:
        found = store.get(owned_key(prefix))
        if found.content == content:  # our own write, whose answer got lost
            return found.etag
        raise
