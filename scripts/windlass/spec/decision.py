"""The decision of a gate, with all that it was made from: one JSON document, whose name is the SHA-256 of its bytes."""

import hashlib
import json
import re
from typing import Annotated, Any, Literal

from pydantic import Field

from windlass.spec.errors import DeliveryError
from windlass.spec.evidence import Evidence, PolicyOrigin
from windlass.spec.names import Word
from windlass.spec.schema import Noun
from windlass.spec.stored import content_of, read_stored

Standing = Literal["passed", "refused", "overridden"]
_KEY = re.compile(r"(?P<prefix>.+)/provenance/[a-z0-9_]+/[0-9a-f]{64}/gate/(?P<digest>[0-9a-f]{64})\.json")


class PolicyTexts(Noun):
    """The files below `environments/` as they stood on the default branch of the repository that owns them.

    `project` is the number of that repository on its server, where it was told.
    """

    server: str
    path: str
    branch: str
    commit: str
    project: int | None = None
    protected: bool | None = None
    files: dict[str, str]

    @property
    def origin(self) -> PolicyOrigin:
        """Whose word they are."""
        return PolicyOrigin(server=self.server, path=self.path, project=self.project)


class Check(Noun):
    """One thing that was looked at: what, what was wanted and found, and, unless it passed, the sentence about it."""

    what: str
    wanted: str
    found: str
    standing: Standing = "passed"
    sentence: str | None = None


class Decision(Noun):
    """Whether the gate of `environment` lets a release pass; `policy` and `evidence` are all that it depends on."""

    format: Literal[1] = 1
    environment: Word
    tool_version: str
    policy: PolicyTexts
    evidence: Evidence
    inputs: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """The SHA-256 of policy and evidence in the form in which they stand here."""
    passed: bool
    checks: list[Check]

    @property
    def refusals(self) -> tuple[str, ...]:
        """Each reason for which it does not pass, one sentence."""
        return tuple(check.sentence or check.what for check in self.checks if check.standing == "refused")

    @property
    def overridden(self) -> tuple[str, ...]:
        """Each reason that people overrode."""
        return tuple(check.sentence or check.what for check in self.checks if check.standing == "overridden")

    def to_json(self) -> bytes:
        """The canonical bytes."""
        return (json.dumps(_without_empty_later(content_of(self)), sort_keys=True, indent=1) + "\n").encode()

    @property
    def digest(self) -> str:
        """The SHA-256 of the canonical bytes: its name."""
        return hashlib.sha256(self.to_json()).hexdigest()


def inputs_digest(policy: PolicyTexts, evidence: Evidence) -> str:
    """The SHA-256 over both, in hex."""
    content = _without_empty_later({"policy": content_of(policy), "evidence": content_of(evidence)})
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


_LATER = ("moved", "origin", "policy", "project")
"""Keys that earlier versions did not write: left out where they are null, so that old decisions keep their names."""


def _without_empty_later(content: Any) -> Any:
    if isinstance(content, dict):
        kept = ((key, value) for key, value in content.items() if value is not None or key not in _LATER)
        return {key: _without_empty_later(value) for key, value in kept}
    return [_without_empty_later(one) for one in content] if isinstance(content, list) else content


def decision_key(prefix: str, project: str, release: str, digest: str) -> str:
    """Where a decision about a release is kept in the code bucket."""
    return f"{prefix}/provenance/{project}/{release}/gate/{digest}.json"


def override_key(prefix: str, project: str, release: str, name: str = "") -> str:
    """Where a person's override for a release is kept; without a name, what all of them begin with."""
    folder = f"{prefix}/provenance/{project}/{release}/override/"
    return f"{folder}{name}.json" if name else folder


def is_decision_key(key: str) -> bool:
    """Whether `key` is one that `decision_key` gives."""
    return _KEY.fullmatch(key) is not None


def read_decision(content: bytes, where: str) -> Decision:
    """The decision in `content`; DeliveryError unless it is one, byte for byte as windlass writes it."""
    decision = read_stored(Decision, content, f"{where} is no decision of a gate")
    if decision.to_json() != content:
        raise DeliveryError(f"{where} was altered: it is not as windlass writes a decision")
    if decision.environment != decision.evidence.environment:
        raise DeliveryError(f"{where} was altered: its evidence is about {decision.evidence.environment}")
    if decision.inputs != inputs_digest(decision.policy, decision.evidence):
        raise DeliveryError(f"{where} was altered: what it was made from has another SHA-256 than it says")
    return decision
