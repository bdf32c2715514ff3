"""Makes the decision of a gate, keeps it beside the release before that goes live, and judges it again later."""

import hashlib
from contextlib import suppress
from dataclasses import dataclass

from windlass import __version__
from windlass.delivery.gate.judge import judge
from windlass.delivery.gate.policy import read_policy
from windlass.delivery.place import Place
from windlass.spec.decision import Check, Decision, PolicyTexts, decision_key, inputs_digest, read_decision
from windlass.spec.errors import DeliveryError
from windlass.spec.evidence import Evidence
from windlass.spec.store import Conflict, Missing


def decide(texts: PolicyTexts, evidence: Evidence) -> Decision:
    """The decision of the gate that `texts` describe; DeliveryError where they cannot be read, or describe none."""
    checks = _checks(texts, evidence)
    return Decision(
        environment=evidence.environment,
        tool_version=__version__,
        policy=texts,
        evidence=evidence,
        inputs=inputs_digest(texts, evidence),
        passed=not any(check.standing == "refused" for check in checks),
        checks=checks,
    )


def _checks(texts: PolicyTexts, evidence: Evidence) -> list[Check]:
    policy = read_policy(texts, evidence.environment)[1]
    if policy is None:
        raise DeliveryError(f"{evidence.environment} has no gate on {texts.branch} of {texts.path}")
    try:
        return judge(texts, policy, evidence)
    except OverflowError as error:  # a time of the year 9999, and a while later
        raise DeliveryError(f"the evidence about {evidence.project} holds a time that no calendar has") from error


def keep_decision(place: Place, decision: Decision) -> str:
    """Writes the decision; its key. What is there under it already has the same bytes."""
    evidence = decision.evidence
    key = decision_key(place.prefix, evidence.project, evidence.release, decision.digest)
    with suppress(Conflict):
        place.code.put(key, decision.to_json(), if_absent=True)
    return key


def load_decision(place: Place, key: str) -> Decision:
    """The decision under `key`, whose name must be the SHA-256 of its bytes."""
    try:
        content = place.code.get(key).content
    except Missing as missing:
        raise DeliveryError(f"there is no decision {key} in {place.name}") from missing
    return require_named(content, key)


def require_named(content: bytes, where: str) -> Decision:
    """The decision in `content`; DeliveryError where the name in `where` is the SHA-256 of other bytes."""
    name = where.rpartition("/")[2].removesuffix(".json")
    if len(name) == 64 and hashlib.sha256(content).hexdigest() != name:
        raise DeliveryError(f"{where} was altered: its bytes have another SHA-256 than its name says")
    return read_decision(content, where)


@dataclass(frozen=True)
class Replayed:
    """A decision and the checks that this windlass comes to from the same policy and evidence."""

    decision: Decision
    checks: list[Check]

    @property
    def is_same(self) -> bool:
        """Whether the answer is the one that was kept, check by check; another version may say it in other words."""
        passed = not any(check.standing == "refused" for check in self.checks)
        then, now = self.decision.checks, self.checks
        if self.decision.tool_version != __version__:
            then, now = _without_words(then), _without_words(now)
        return now == then and passed == self.decision.passed


def _without_words(checks: list[Check]) -> list[Check]:
    return [check.model_copy(update={"wanted": "", "found": "", "sentence": None}) for check in checks]


def replay(decision: Decision) -> Replayed:
    """Judges again what was judged then; nobody is asked."""
    return Replayed(decision, _checks(decision.policy, decision.evidence))
