"""Who signs releases: the public keys that an environment trusts, by name. Only text here, no cryptography."""

import base64
import binascii
import re
from typing import Annotated

from pydantic import AfterValidator

_KIND = "ed25519:"
_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,62}")
_SHOWN = "'ed25519:' and the Base64 of its 32 bytes, as windlass sign-key show FILE prints it"


def public_text(raw: bytes) -> str:
    """A public key's 32 raw bytes as text."""
    return _KIND + base64.b64encode(raw).decode()


def public_bytes(text: str) -> bytes:
    """The 32 raw bytes of a public key; ValueError unless `text` is exactly what `public_text` makes of them."""
    try:
        raw = base64.b64decode(text.removeprefix(_KIND), validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != _BYTES or public_text(raw) != text:
        # The text is not repeated: what was pasted here by mistake may be a private key.
        raise ValueError(f"this is not a signer's public key; write {_SHOWN}")
    return raw


def _check_key(text: str) -> str:
    public_bytes(text)
    return text


def check_name(text: str) -> str:
    """`text` itself when it can name a signer; ValueError otherwise."""
    if not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is no signer's name; take letters, digits, _, -, @ and dots")
    return text


def check_signers(signers: dict[str, str]) -> dict[str, str]:
    """`signers` itself; ValueError when one key has two names."""
    names: dict[str, str] = {}
    for name, key in signers.items():
        if key in names:
            raise ValueError(f"{names[key]!r} and {name!r} are the same key; keep one of the names")
        names[key] = name
    return signers


def read_signers(value: object) -> dict[str, str]:
    """`value` as public keys by name, at least one; ValueError otherwise, which does not repeat what may be secret."""
    if not isinstance(value, dict) or not value:
        raise ValueError("name at least one signer with its public key, or leave signers away to trust everybody")
    for name, key in value.items():
        check_name(str(name))
        if not isinstance(key, str):
            raise ValueError(f"{name}: the public key must be text; write {_SHOWN}")
        try:
            public_bytes(key)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
    return check_signers(value)


PublicKey = Annotated[str, AfterValidator(_check_key)]
SignerName = Annotated[str, AfterValidator(check_name)]
Signers = Annotated[dict[SignerName, PublicKey], AfterValidator(check_signers)]
"""The public keys that are trusted, by a name for people; empty: nothing needs a signature."""
