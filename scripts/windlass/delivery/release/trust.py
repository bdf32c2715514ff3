"""Whether an environment may trust a release: its record is signed by a known key and is about exactly this release."""

from collections.abc import Mapping
from dataclasses import dataclass

from windlass.delivery.place import Place
from windlass.delivery.release.provenance import get_again, read_record, replace_record
from windlass.delivery.release.signature import is_whole
from windlass.spec.errors import DeliveryError
from windlass.spec.release import Provenance, provenance_key
from windlass.spec.store import Conflict, Missing, Store


class Distrusted(DeliveryError):
    """The environment does not take this release."""


@dataclass(frozen=True)
class Claim:
    """What a state says, or would say, of a project: this release is live, and this commit built it."""

    project: str
    release: str
    commit: str

    def key(self, prefix: str) -> str:
        """Where the record of it is kept."""
        return provenance_key(prefix, self.project, self.release, self.commit)

    def __str__(self) -> str:
        return f"release {self.release[:12]} of {self.project} (commit {self.commit[:12]})"


@dataclass(frozen=True)
class Trust:
    """The signers of an environment; the record in `place` (its name) is what is judged."""

    environment: str
    signers: Mapping[str, str]
    place: str

    def require(self, claim: Claim, content: bytes | None) -> tuple[Provenance, str]:
        """The record in `content` and the name of its signer; Distrusted says why not, and what to do."""
        if content is None:
            raise self._distrusted(claim, f"has no record in {self.place}", _again(claim))
        try:
            record = read_record(claim.key(""), content)
        except DeliveryError as error:
            raise self._distrusted(claim, f"has a record that was altered ({error})", _again(claim)) from error
        if record.to_json() != content:
            raise self._distrusted(
                claim, "has a record that was altered: it is not in the form that windlass writes", _again(claim)
            )
        if record.signature is None:
            raise self._distrusted(claim, "is not signed", self._sign(claim))
        name = {key: name for name, key in self.signers.items()}.get(record.signature.key)
        if name is None:
            raise self._distrusted(claim, f"is signed by an unknown key, {record.signature.key}", self._sign(claim))
        if not is_whole(record):
            raise self._distrusted(
                claim, f"has a record that was altered: the signature of {name} does not fit it", _again(claim)
            )
        return record, name

    def _distrusted(self, claim: Claim, reason: str, remedy: str) -> Distrusted:
        known = " or ".join(sorted(self.signers))
        return Distrusted(f"{claim} {reason}; {self.environment} takes only what {known} signed: {remedy}")

    def _sign(self, claim: Claim) -> str:
        what = f"--project {claim.project} --release {claim.release[:12]} --commit {claim.commit[:12]}"
        return f"sign it with windlass sign {self.place} {what}"


def _again(claim: Claim) -> str:
    return f"run windlass release at commit {claim.commit[:12]} with the key and promote it again"


def doubts(source: Place, target: Place, claim: Claim, models: Mapping[str, str]) -> tuple[str, ...]:
    """Why `target` must not take the release from `source`; empty: nothing speaks against it.

    `models` are the SHA-256 of the `model.json` that it would run with. What a record says of them must hold whether
    it is signed or not. A record in the target itself counts as well: it may have been signed there.
    """
    try:
        record = _record(source, target, claim)
    except DeliveryError as distrusted:
        return (str(distrusted),)
    if record is None or not (target.signers or record.models):
        return ()
    return tuple(
        f"model {name!r} is not the one that {claim} was built with: model.json has another SHA-256; "
        f"{'restore it' if name in record.models else 'its record does not name it'}, or {_again(claim)}"
        for name, digest in sorted(models.items())
        if record.models.get(name) != digest
    )


def _record(source: Place, target: Place, claim: Claim) -> Provenance | None:
    content = _content(source, claim)
    if not target.signers:
        return read_record(claim.key(""), content) if content is not None else None
    try:
        return Trust(target.name, target.signers, source.name).require(claim, content)[0]
    except Distrusted:
        if source.name == target.name:
            raise
        own = _content(target, claim)
        if not _is_trusted(target, claim, own):
            raise
    return Trust(target.name, target.signers, target.name).require(claim, own)[0]


def require_trust(place: Place, claim: Claim) -> None:
    """Distrusted when the environment has signers and none of them signed the record that lies there."""
    if place.signers:
        Trust(place.name, place.signers, place.name).require(claim, _content(place, claim))


def carry_provenance(source: Place, target: Place, claim: Claim) -> None:
    """Brings the record over. It replaces another one there, unless that is signed and this one is not.

    Distrusted when the target has signers and neither record has the signature of one: it was swapped meanwhile.
    """
    if source.name == target.name:
        return
    content, key = _content(source, claim), claim.key(target.prefix)
    if not _is_trusted(target, claim, content):
        if not _is_trusted(target, claim, _content(target, claim)):
            Trust(target.name, target.signers, source.name).require(claim, content)
        return
    if content is None:
        return
    try:
        target.code.put(key, content, if_absent=True)
        return
    except Conflict:
        found = get_again(target, key)
    takes_signature_away = _is_signed(key, found.content) and not _is_signed(key, content)
    if found.content != content and not takes_signature_away:
        replace_record(target, key, content, found)


def _is_trusted(target: Place, claim: Claim, content: bytes | None) -> bool:
    """Whether the target takes the record; one without signers takes all."""
    if not target.signers:
        return True
    try:
        Trust(target.name, target.signers, target.name).require(claim, content)
    except Distrusted:
        return False
    return True


def _is_signed(key: str, content: bytes) -> bool:
    try:
        return is_whole(read_record(key, content))
    except DeliveryError:
        return False


def _content(place: Place, claim: Claim) -> bytes | None:
    return fetch_record(place.code, place.prefix, claim)


def fetch_record(store: Store, prefix: str, claim: Claim) -> bytes | None:
    """The bytes of the record in the environment at `prefix`, which nobody looked at yet; None when there is none."""
    try:
        return store.get(claim.key(prefix)).content
    except Missing:
        return None
