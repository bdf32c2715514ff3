"""Keys to sign with, the same in every run, and environments in memory that trust some of them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.delivery.conftest import World
from windlass.delivery.place import Place
from windlass.delivery.release.archive import Archive
from windlass.delivery.release.provenance import list_provenance
from windlass.delivery.release.publish import sign_kept
from windlass.delivery.release.signature import SigningKey
from windlass.spec.release import Provenance, provenance_key


def key(name: str) -> SigningKey:
    """The key of `name`."""
    return SigningKey(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest()))


CI, ANN, MALLORY = key("ci"), key("ann"), key("mallory")
TRUSTED = {"ci": CI.public}


@dataclass
class SigningWorld(World):
    """Stage takes only what the CI signed; dev takes everything."""

    signers: dict[str, Mapping[str, str]] = field(default_factory=lambda: {"stage": TRUSTED})

    def place(self, name: str) -> Place:
        return replace(super().place(name), signers=self.signers.get(name, {}))

    def signed(
        self, commit: str, dags: dict[str, str], models: dict[str, str] | None = None, by: SigningKey = CI, **kind: str
    ) -> Archive:
        """A release that is published and signed."""
        archive = self.publish(commit, dags, models, **kind)
        self.sign(archive, commit, by, project=kind.get("project", "digits"))
        return archive

    def sign(
        self, archive: Archive, commit: str, by: SigningKey = CI, *, place: str = "dev", project: str = "digits"
    ) -> Provenance:
        where = self.place(place)
        return sign_kept(where, list_provenance(where, project, digest=archive.digest, commit=commit)[0], by)

    def record_key(self, archive: Archive, commit: str, place: str = "dev", project: str = "digits") -> str:
        return provenance_key(place, project, archive.digest, commit)
