"""Whose policy an environment remembers, for the commands at its gate."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from windlass.spec.environment import Environment
    from windlass.spec.evidence import PolicyOrigin


def remembered(environment: "Environment") -> "PolicyOrigin | None":
    """Whose policy let the last release into the environment; None where no gate ever did."""
    from windlass.cli import delivering
    from windlass.delivery.gate.origin import origin_before
    from windlass.delivery.history.states import load_current

    place = delivering.place(environment)
    return origin_before(place, load_current(place.code, place.prefix).state)


def require_same_origin(environment: "Environment", now: "PolicyOrigin") -> None:
    """DeliveryError where the gate of the environment was another repository's when a release last came through it."""
    from windlass.delivery.gate.origin import require_same

    require_same(environment.name, remembered(environment), now)
