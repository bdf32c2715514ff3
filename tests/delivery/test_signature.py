"""A record is what its signer signed, to the last bit, or it is refused by name."""

import re
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.signing import ANN, CI, MALLORY, TRUSTED
from windlass.delivery.release.signature import is_whole, read_key, sign, statement, write_new_key
from windlass.delivery.release.trust import Claim, Distrusted, Trust
from windlass.spec.errors import DeliveryError
from windlass.spec.release import Provenance, Signature
from windlass.spec.signer import public_bytes, public_text, read_signers

RECORD = Provenance(
    project="digits",
    release="d" * 64,
    commit="1" * 40,
    tag="v1.2.0",
    ref="main",
    merge_request={"iid": 7, "approved_by": ["bob"], "title": "Größer"},
    job_url="https://gitlab.example/ocr/digits/-/jobs/1",
    project_url="https://gitlab.example/ocr/digits",
    actor="ann",
    built_at="2026-11-22T09:30:00Z",
    tool_version="0.1.0",
    models={"digits": "e" * 64},
)
SIGNED = sign(RECORD, CI)
CONTENT = SIGNED.to_json()
CLAIM = Claim("digits", "d" * 64, "1" * 40)
PROD = Trust("prod", TRUSTED, "prod")


def refused(content: bytes | None, claim: Claim = CLAIM, trust: Trust = PROD) -> str:
    with pytest.raises(Distrusted) as stopped:
        trust.require(claim, content)
    message = str(stopped.value)
    assert message.startswith(f"{claim} ")
    assert f"{trust.environment} takes only what {' or '.join(sorted(trust.signers))} signed" in message
    assert "\n" not in message
    return message


def test_what_the_known_signer_signed_is_taken_and_the_signer_named() -> None:
    assert PROD.require(CLAIM, CONTENT) == (SIGNED, "ci")


def test_a_flipped_bit_in_any_byte_of_the_record_is_refused() -> None:
    """Every bit of every byte: project, release, commit, each other field, the key and the signature itself."""
    for position in range(len(CONTENT)):
        for bit in range(8):
            altered = CONTENT[:position] + bytes([CONTENT[position] ^ (1 << bit)]) + CONTENT[position + 1 :]
            with pytest.raises(Distrusted):
                PROD.require(CLAIM, altered)


@given(st.data())
@settings(max_examples=300)
def test_bytes_put_in_taken_out_or_replaced_anywhere_are_refused(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(CONTENT)))
    end = data.draw(st.integers(start, min(len(CONTENT), start + 40)))
    altered = CONTENT[:start] + data.draw(st.binary(max_size=40)) + CONTENT[end:]
    if altered != CONTENT:
        refused(altered)


@pytest.mark.parametrize("field", sorted(Provenance.model_fields.keys() - {"signature"}))
def test_a_record_with_any_field_altered_and_written_as_windlass_would_is_refused(field: str) -> None:
    other = {"merge_request": {"iid": 8}, "models": {"digits": "f" * 64}, "release": "f" * 64}.get(field, "other")
    altered = SIGNED.model_copy(update={field: other})
    claim = Claim(altered.project, altered.release, altered.commit)
    assert "the signature of ci does not fit it" in refused(altered.to_json(), claim)


@pytest.mark.parametrize("field", ["tag", "ref", "merge_request", "job_url", "project_url", "actor", "models"])
def test_a_fact_that_was_taken_out_is_refused(field: str) -> None:
    altered = SIGNED.model_copy(update={field: {} if field == "models" else None})
    assert "the signature of ci does not fit it" in refused(altered.to_json())


def test_each_way_of_not_being_trusted_has_its_sentence_and_its_remedy() -> None:
    assert "(commit 111111111111) is not signed; prod takes only what ci signed: sign it with windlass sign prod" in (
        refused(RECORD.to_json())
    )
    assert f"is signed by an unknown key, {MALLORY.public};" in refused(sign(RECORD, MALLORY).to_json())
    assert "has no record in prod" in refused(None)
    assert "was altered (/provenance/digits/" in refused(b"{}")
    assert "run windlass release at commit 111111111111" in refused(None)
    assert "not in the form that windlass writes" in refused(CONTENT + b" ")


def test_the_signature_of_another_record_under_the_name_of_a_known_key_is_refused() -> None:
    other = sign(RECORD.model_copy(update={"release": "f" * 64}), CI)
    assert "does not fit" in refused(RECORD.model_copy(update={"signature": other.signature}).to_json())
    theirs = sign(RECORD, MALLORY).signature
    assert theirs is not None
    forged = RECORD.model_copy(update={"signature": Signature(key=CI.public, value=theirs.value)})
    assert "does not fit" in refused(forged.to_json())


@pytest.mark.parametrize("field", ["project", "release", "commit"])
def test_a_good_record_of_another_project_release_or_commit_is_refused(field: str) -> None:
    other = sign(RECORD.model_copy(update={field: {"project": "letters"}.get(field, "a" * 64)}), CI)
    assert "was altered: it is about release" in refused(other.to_json())


def test_two_keys_in_one_record_are_refused_whichever_a_reader_would_take() -> None:
    twice = CONTENT.replace(b'{\n "actor": "ann",', b'{\n "actor": "eve",\n "actor": "ann",')
    assert twice != CONTENT
    refused(twice)


def test_a_signature_for_anything_but_a_record_is_none() -> None:
    """The heading separates records from whatever else a key may sign: a Git commit, a file."""
    assert statement(RECORD) != RECORD.to_json()
    value = CI.private.sign(RECORD.to_json()).hex()
    forged = RECORD.model_copy(update={"signature": Signature(key=CI.public, value=value)})
    assert not is_whole(forged)


def test_signing_again_gives_the_same_bytes_and_a_new_signature_takes_the_place_of_the_old() -> None:
    assert sign(SIGNED, CI).to_json() == CONTENT
    assert sign(SIGNED, ANN) == sign(RECORD, ANN)
    both = Trust("prod", {**TRUSTED, "ann": ANN.public}, "prod")
    assert (both.require(CLAIM, CONTENT)[1], both.require(CLAIM, sign(RECORD, ANN).to_json())[1]) == ("ci", "ann")
    assert "takes only what ann or ci signed" in refused(RECORD.to_json(), trust=both)


def test_a_record_from_before_there_were_signatures_keeps_its_bytes() -> None:
    old = RECORD.model_copy(update={"models": {}})
    assert b"models" not in old.to_json()
    assert b"signature" not in old.to_json()
    assert Provenance.model_validate_json(old.to_json()).to_json() == old.to_json()


@given(st.binary(min_size=32, max_size=32))
def test_a_public_key_is_the_same_after_a_way_through_text(raw: bytes) -> None:
    assert public_bytes(public_text(raw)) == raw


@pytest.mark.parametrize(
    ("signers", "message"),
    [
        ({}, "name at least one signer"),
        ([CI.public], "name at least one signer"),
        ({"ci": None}, "ci: the public key must be text"),
        ({"ci": CI.public[:-2]}, "ci: this is not a signer's public key"),
        ({"ci": CI.public.removeprefix("ed25519:")}, "ci: this is not a signer's public key"),
        ({"ci": CI.public + " "}, "ci: this is not a signer's public key"),
        ({"ci": CI.public.replace("ed25519", "rsa")}, "ci: this is not a signer's public key"),
        ({"c i": CI.public}, "'c i' is no signer's name"),
        ({"ci": CI.public, "ann": CI.public}, "'ci' and 'ann' are the same key"),
    ],
)
def test_signers_that_name_no_key_are_refused(signers: object, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        read_signers(signers)


def pem(key: object) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def test_a_new_key_is_in_a_file_for_its_owner_alone_and_reads_back(tmp_path: Path) -> None:
    made = write_new_key(tmp_path / "key.pem")
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600
    assert read_key(str(tmp_path / "key.pem"), "FILE").public == made.public
    assert "private" not in repr(made)
    with pytest.raises(DeliveryError, match="is there already; a key is never overwritten"):
        write_new_key(tmp_path / "key.pem")


def test_a_key_as_openssh_writes_it_does_too(tmp_path: Path) -> None:
    private = Ed25519PrivateKey.generate()
    content = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    (tmp_path / "key").write_bytes(content)
    (tmp_path / "key").chmod(0o644)  # as GitLab's runner writes it
    assert read_key(str(tmp_path / "key"), "FILE").public == public_text(private.public_key().public_bytes_raw())


def bad_keys() -> dict[str, tuple[bytes, str]]:
    locked = CI.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    public = CI.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    good = pem(CI.private)
    return {
        "empty": (b"", "holds no private key"),
        "text": (b"not a key, but 7 secret words", "holds no private key"),
        "public": (public, "holds no private key"),
        "rsa": (pem(rsa.generate_private_key(65537, 2048)), "is of another kind than Ed25519"),
        "elliptic": (pem(ec.generate_private_key(ec.SECP256R1())), "is of another kind than Ed25519"),
        "locked": (locked, "has a passphrase"),
        "cut": (good[:60], "holds no private key"),
        "openssh": (b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", "holds no private key"),
        "large": (good * 200, "is too large for a key"),
    }


@pytest.mark.parametrize("name", ["empty", "text", "public", "rsa", "elliptic", "locked", "cut", "openssh", "large"])
def test_a_file_that_is_no_key_is_refused_without_a_byte_of_it(name: str, tmp_path: Path) -> None:
    content, message = bad_keys()[name]
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(
        DeliveryError, match=rf"^WINDLASS_SIGNING_KEY.* {message}.* windlass sign-key new FILE"
    ) as stopped:
        read_key(str(tmp_path / "key"), "WINDLASS_SIGNING_KEY")
    assert stopped.value.__cause__ is None
    words = [word.decode() for word in content.split() if len(word) > 6]
    assert not [word for word in words if word in str(stopped.value)]


@pytest.mark.parametrize(
    "path", ["/nowhere/key", "/etc", "x" * 5000, "a\0b", pem(CI.private).decode(), "MC4CAQAwBQYDK2Vw"]
)
def test_a_variable_that_holds_no_path_is_refused_without_repeating_it(path: str) -> None:
    with pytest.raises(DeliveryError) as stopped:
        read_key(path, "WINDLASS_SIGNING_KEY")
    assert path not in str(stopped.value)
    assert str(stopped.value).startswith("WINDLASS_SIGNING_KEY ")
    assert ("type File" in str(stopped.value)) == ("PRIVATE KEY" in path)


def test_the_keys_that_the_page_about_signing_shows_have_the_right_form() -> None:
    page = (Path(__file__).parents[2] / "docs/signing.md").read_text()
    keys = re.findall(r"ed25519:[A-Za-z0-9+/=]+", page)
    assert keys
    assert all(len(public_bytes(key)) == 32 for key in keys)
