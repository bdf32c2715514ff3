"""The state of an environment: which release of each project is live, and the deployment that made it so."""

import hashlib
import json
from typing import Any, Literal

from windlass.spec.environment import RuntimeSettings
from windlass.spec.evidence import Frozen, PolicyOrigin
from windlass.spec.names import Word
from windlass.spec.release import Digest, Version
from windlass.spec.schema import Noun
from windlass.spec.stored import content_of, read_stored


class ProjectState(Noun):
    """One project's live release; `url` leads to its GitLab project."""

    release: Digest
    commit: str
    tag: str | None = None
    models: dict[Word, Version] = {}
    pipelines: list[Word] = []
    url: str | None = None


class Hold(Noun):
    """Nothing of `project`, or one release of it, may be promoted to the environment; a rollback always may."""

    project: Word
    release: Digest | None = None
    reason: str
    actor: str | None = None
    at: str

    def describe(self) -> str:
        """What is on hold since when, by whom and why, for a person."""
        what = f"release {self.release[:12]} of {self.project}" if self.release else self.project
        return f"{what} is on hold since {self.at[:16].replace('T', ' ')} by {self.actor or 'unknown'}: {self.reason}"


Action = Literal["promote", "rollback", "hold", "release-hold", "remove"]


class Deployment(Noun):
    """One recorded change of a state; `replaces` is the digest of the release that was live before.

    `project` is null where the whole environment went back to the state `back_to`. `hold` is the hold that the change
    set or, for `release-hold`, took away; without one, and without a project, the whole environment was frozen or
    unfrozen. With `remove` the project went, and `replaces` was its last release. `source` is the environment that the
    release was promoted from. `gate` is the digest of the decision that let it pass.
    """

    action: Action
    project: Word | None
    release: Digest | None = None
    commit: str | None = None
    tag: str | None = None
    replaces: Digest | None = None
    hold: Hold | None = None
    back_to: str | None = None
    source: str | None = None
    gate: Digest | None = None
    actor: str | None = None
    job_url: str | None = None
    reason: str | None = None
    at: str


class State(Noun):
    """One state; `previous` is the name of the state before it and null for the first.

    While it is `frozen`, nothing of any project is promoted to it. `policy` is who said what the gate asked that let
    the last release in.
    """

    serial: int
    previous: str | None
    environment: RuntimeSettings
    projects: dict[Word, ProjectState]
    holds: list[Hold] = []
    frozen: Frozen | None = None
    policy: PolicyOrigin | None = None
    deployment: Deployment

    def to_json(self) -> bytes:
        """The canonical bytes: equal states have equal bytes."""
        return _canonical(self)

    @property
    def name(self) -> str:
        """`<serial>-<hash>`: the name of the immutable copy, and the version that Airflow shows."""
        return f"{self.serial}-{hashlib.sha256(self.to_json()).hexdigest()[:12]}"


class LedgerRecord(Noun):
    """One line of the ledger; `previous` is the SHA-256 of the bytes of the record before it."""

    serial: int
    state: str
    deployment: Deployment
    previous: Digest | None

    def to_json(self) -> bytes:
        """The canonical bytes, over which the next record's `previous` is taken."""
        return _canonical(self)


def ledger_key(prefix: str, serial: int) -> str:
    """Where the record of the state number `serial` is kept in the code bucket."""
    return f"{prefix}/ledger/{serial}.json"


_LATER = ("holds", "frozen", "policy", "hold", "back_to", "source", "gate", "notify")
"""Keys that earlier versions did not write: left out where they are empty, so that old states keep their names."""


def _canonical(noun: Noun) -> bytes:
    return (json.dumps(_without_empty_later(content_of(noun)), sort_keys=True, indent=1) + "\n").encode()


def _without_empty_later(content: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in content.items() if value or key not in _LATER}
    return kept | {key: _without_empty_later(kept[key]) for key in ("deployment", "environment") if key in kept}


def read_state(content: bytes, where: str) -> State:
    """The state in `content`; DeliveryError names `where` it was read when it is not one."""
    return read_stored(State, content, f"{where} is not a state that this windlass can read")
