"""Who may override a gate, freeze an environment and let promotions in again."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from windlass.cli import console
from windlass.cli.gate_origin import require_same_origin
from windlass.cli.gating import Gatekeeper, author, gatekeeper
from windlass.spec.errors import DeliveryError, WindlassError

if TYPE_CHECKING:
    from windlass.delivery.promotion.perform import Author
    from windlass.spec.environment import Environment
    from windlass.spec.evidence import Override, Person


def own_override(environment: "Environment", project: str, release: str, reason: str) -> "Override":
    """The word of who runs this command; DeliveryError unless it can count."""
    from windlass.spec.evidence import Override

    gate = gatekeeper(environment)
    if gate is None:
        raise DeliveryError(f"{environment.name} has no gate, so there is nothing to override")
    asked = gate.policy.gate.override
    if asked is None:
        raise DeliveryError(f"the gate of {environment.name} lets nobody override it: it has no key override")
    person = _known(gate)
    gate.require_role(person.username, asked.roles, f"override the gate of {environment.name}")
    return Override(
        environment=environment.name,
        project=project,
        release=release,
        person=person.username,
        user=person.user,
        reason=reason,
        job_url=person.job_url,
        at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        policy=gate.origin,
    )


def who_stops(environment: "Environment", reason: str) -> "Author":
    """Who freezes the environment: anyone of a role; where that cannot be told now, whoever can write its state."""
    from windlass.cli import delivering
    from windlass.spec.errors import ServiceError, TransientError

    try:
        gate = gatekeeper(environment)
    except WindlassError as trouble:  # a policy that cannot be read must not keep the line going
        console.warn(f"nobody looked who freezes {environment.name}: {trouble}")
        return delivering.author(reason)
    try:
        if gate and gate.person:
            gate.require_role(gate.person.username, sorted(gate.policy.roles), f"freeze {environment.name}")
    except (ServiceError, TransientError) as trouble:
        console.warn(f"nobody looked who freezes {environment.name}: {trouble}")
    return author(gate, reason)


def who_lets_in(environment: "Environment", reason: str | None, moved: str | None = None) -> "Author":
    """Who takes a freeze back: anyone of a role, by GitLab's word; where there is no gate, whoever can.

    `moved` is why another repository than before says what the roles are.
    """
    gate = gatekeeper(environment)
    if gate:
        if not moved:
            require_same_origin(environment, gate.origin)
        person = _known(gate)
        gate.require_role(person.username, sorted(gate.policy.roles), f"unfreeze {environment.name}")
    return author(gate, reason)


def _known(gate: Gatekeeper) -> "Person":
    if gate.person is None:
        raise DeliveryError(
            f"who you are is not known to the gate of {gate.environment.name}: run this in a GitLab job, or set "
            "WINDLASS_GITLAB_TOKEN to a token of your own"
        )
    return gate.person
