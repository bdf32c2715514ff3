"""What a gate will ask of an open merge request, before there is a release; it is told and not kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from windlass.delivery.gate.judge import judge_proposal
from windlass.delivery.gate.policy import Policy
from windlass.spec.decision import Check, PolicyTexts
from windlass.spec.duration import duration_text
from windlass.spec.evidence import Proposal


@dataclass(frozen=True)
class Outlook:
    """The checks that can be made now, and what a promotion will ask for besides."""

    policy: PolicyTexts
    proposal: Proposal
    checks: tuple[Check, ...]
    later: tuple[str, ...]

    @property
    def name(self) -> str:
        """`!7`."""
        return f"!{self.proposal.merge_requests[0].iid}"

    @property
    def passed(self) -> bool:
        """Whether nothing stands against it."""
        return not self.refusals

    @property
    def refusals(self) -> tuple[str, ...]:
        """Each reason for which its release would not pass, one sentence."""
        return tuple(check.sentence or check.what for check in self.checks if check.standing == "refused")

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        return {
            "environment": self.proposal.environment,
            "gate": True,
            "merge_request": self.proposal.merge_requests[0].iid,
            "passed": self.passed,
            "refusals": list(self.refusals),
            "checks": [check.model_dump(mode="json") for check in self.checks],
            "later": list(self.later),
            "policy": self.policy.model_dump(mode="json", exclude={"files"}),
            "evidence": self.proposal.model_dump(mode="json"),
        }


def look_ahead(texts: PolicyTexts, policy: Policy, proposal: Proposal, *, live_is_told: bool = True) -> Outlook:
    """The outlook of the merge request; without `live_is_told` critical pipelines that are live were not looked at."""
    later = tuple(_later(policy, proposal, live_is_told=live_is_told))
    return Outlook(texts, proposal, tuple(judge_proposal(texts, policy, proposal)), later)


def _later(policy: Policy, proposal: Proposal, *, live_is_told: bool) -> Iterator[str]:
    gate, where = policy.gate, policy.environment
    if gate.critical and not proposal.is_ahead:
        branch = proposal.default_branch
        yield f"whether pipelines are critical that {branch} has and this branch has not; rebase it to see"
    if gate.critical and not live_is_told:
        yield f"whether pipelines that are live in {where.name} are critical: this job may not read them"
    if gate.tag:
        kind = "a protected tag" if gate.tag.protected else "a tag"
        yield kind + (f" that a {' or '.join(gate.tag.roles)} pushed" if gate.tag.roles else "")
    if gate.soak is not None:
        yield f"{duration_text(gate.soak)} of passing in {where.upstream or 'the environment before'}"
    elif where.upstream:
        yield f"the verdict of {where.upstream}"
    yield f"that {where.name} is not frozen"
    if gate.override:
        people = f"{gate.override.people} people of {', '.join(gate.override.roles)}"
        yield f"an override, where something stands against it: {people}"
