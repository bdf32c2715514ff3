"""Signs the record of where a release came from, and finds out who signed one: Ed25519 over the canonical record."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.spec.errors import DeliveryError
from windlass.spec.release import Provenance, Signature
from windlass.spec.signer import public_bytes, public_text

if TYPE_CHECKING:  # an Airflow that trusts everybody need not load it
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_HEADING = b"windlass provenance 1\n"
"""Stands before what is signed, so that nothing else that the key may ever sign can pass for a record."""
_LARGEST_KEY_FILE = 16 * 1024
_REMEDY = "give an Ed25519 private key without a passphrase; windlass sign-key new FILE makes one"


@dataclass(frozen=True)
class SigningKey:
    """A private key, which hides itself, and its public part as environments name it."""

    private: "Ed25519PrivateKey" = field(repr=False)

    @property
    def public(self) -> str:
        """The public part: `ed25519:` and Base64."""
        return public_text(self.private.public_key().public_bytes_raw())


def statement(record: Provenance) -> bytes:
    """What a signature of `record` covers: every field but the signature."""
    return _HEADING + record.model_copy(update={"signature": None}).to_json()


def sign(record: Provenance, key: SigningKey) -> Provenance:
    """The record with a signature of `key` in place of whatever it had."""
    value = key.private.sign(statement(record)).hex()
    return record.model_copy(update={"signature": Signature(key=key.public, value=value)})


def is_whole(record: Provenance) -> bool:
    """Whether the record is as the key that it names signed it; says nothing about whose key that is."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if record.signature is None:
        return False
    try:
        key = Ed25519PublicKey.from_public_bytes(public_bytes(record.signature.key))
        key.verify(bytes.fromhex(record.signature.value), statement(record))
    except (InvalidSignature, ValueError):
        return False
    return True


def read_key(path: str, named: str) -> SigningKey:
    """The key in the file `path`, PEM or OpenSSH. What is wrong is said of `named`: never a byte of path or file.

    The path is not repeated because whoever makes a variable of the wrong type hands over the key itself for it.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

    content = _content(path, named)
    load = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in content else load_pem_private_key
    try:
        private = load(content, password=None)
    except TypeError:
        raise DeliveryError(f"{named}: the key has a passphrase; {_REMEDY}") from None
    except (ValueError, UnsupportedAlgorithm):
        raise DeliveryError(f"{named}: the file holds no private key that can be read; {_REMEDY}") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise DeliveryError(f"{named}: the key is of another kind than Ed25519; {_REMEDY}")
    return SigningKey(private)


def _content(path: str, named: str) -> bytes:
    if "PRIVATE KEY" in path:
        raise DeliveryError(f"{named} is the key itself; name its file (in GitLab: a CI/CD variable of type File)")
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_KEY_FILE + 1)
    except (OSError, ValueError):
        raise DeliveryError(f"{named} names no file that can be read; {_REMEDY}") from None
    if len(content) > _LARGEST_KEY_FILE:
        raise DeliveryError(f"{named}: the file is too large for a key; {_REMEDY}")
    return content


def write_new_key(path: Path) -> SigningKey:
    """Makes a key and keeps it in the new file `path`, which nobody else may read; DeliveryError if there is one."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    if "PRIVATE KEY" in str(path):
        raise DeliveryError("FILE is a key itself; name the file that shall hold the new one")
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise DeliveryError(f"{path} is there already; a key is never overwritten: name another file") from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    return SigningKey(private)
