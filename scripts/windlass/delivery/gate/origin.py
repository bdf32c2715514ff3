"""Whose policy an environment is judged by: what its state remembers, so that no job chooses another one unseen."""

from windlass.delivery.gate.decide import load_decision
from windlass.delivery.gate.judge import REMEDY
from windlass.delivery.place import Place
from windlass.spec.decision import Decision, decision_key
from windlass.spec.errors import DeliveryError
from windlass.spec.evidence import PolicyOrigin
from windlass.spec.state import State


def origin_before(place: Place, state: State | None) -> PolicyOrigin | None:
    """Whose policy let the last release in; None where no gate ever did.

    An earlier windlass does not write it into the state: then the decision that the state names says it.
    """
    if state is None or state.policy is not None:
        return state.policy if state else None
    done = state.deployment
    if not (done.gate and done.project and done.release):
        return None
    try:
        return load_decision(place, decision_key(place.prefix, done.project, done.release, done.gate)).policy.origin
    except DeliveryError:  # gone, or no decision any more: who can do that can write the state too
        return None


def origin_after(state: State | None, decision: Decision | None) -> PolicyOrigin | None:
    """What the next state remembers; a number that was told once is kept while nobody tells another one."""
    before = state.policy if state else None
    if decision is None:
        return before
    now = decision.policy.origin
    return before if before and now.project is None and before.is_same(now) else now


def require_same(environment: str, before: PolicyOrigin | None, now: PolicyOrigin) -> None:
    """DeliveryError where the policy of the environment was another one's before."""
    if before is not None and not before.is_same(now):
        raise DeliveryError(
            f"{environment} was asked by {before.describe()} when a release last came through its gate, and this is "
            f"{now.describe()}; {REMEDY}, or say why it moved with --policy-moved"
        )
