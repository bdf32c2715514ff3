"""What a release asks of an environment and does not find there: flavors, images, connections, variables and pools."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from windlass.delivery.plan.impact import Impact, Subject, impact_of
from windlass.spec.airflow_object import Key, Kind
from windlass.spec.environment import Environment, RuntimeSettings
from windlass.spec.release import Requires

Standing = Literal["missing", "not applied", "undeclared", "by hand"]
_WORDS: Mapping[Standing, str] = {
    "missing": "is not declared in {file}, and Airflow does not have it",
    "not applied": "is declared in {file}, and Airflow does not have it yet; run windlass env apply {environment}",
    "undeclared": "is not declared in {file}; whether Airflow has it is not known",
    "by hand": "is in Airflow and not declared in {file}",
}


@dataclass(frozen=True)
class Offer:
    """The Airflow objects that the environment's file declares, and those that its Airflow has.

    `present` is None where Airflow was not asked, for the reason `unasked`.
    """

    declared: frozenset[Key]
    present: frozenset[Key] | None = None
    unasked: str | None = None


@dataclass(frozen=True)
class Need:
    """Something that the release needs and that is not, or not safely, in the environment."""

    what: str
    name: str
    standing: Standing
    impact: Impact

    def describe(self, environment: str) -> str:
        """Where it is missing, in one line."""
        if self.what in ("flavor", "image"):
            return f"{self.what} {self.name} is not in the {self.what}s of environments/{environment}.yml"
        words = _WORDS[self.standing].format(file=f"environments/{environment}.yml", environment=environment)
        return f"{self.what} {self.name} {words}"

    def as_json(self) -> dict[str, str]:
        """The need for a machine."""
        return {"kind": self.what, "name": self.name, "standing": self.standing, "impact": self.impact}


def declared_by(environment: Environment) -> frozenset[Key]:
    """The variables, connections and pools that the environment's file declares."""
    names: Mapping[Kind, Mapping[str, object]] = {
        "variable": environment.variables,
        "connection": environment.connections,
        "pool": environment.pools,
    }
    return frozenset(Key(kind, name) for kind, found in names.items() for name in found)


def unmet_needs(requires: Requires, settings: RuntimeSettings, offer: Offer | None) -> tuple[Need, ...]:
    """What is to be told of each thing that the release needs; without an `offer` of flavors and images only."""
    needs = [_need("flavor", name, "missing") for name in requires.flavors if name not in settings.flavors]
    needs += [_need("image", name, "missing") for name in requires.images if name not in settings.images]
    objects = [Key("connection", name) for name in requires.connections]
    objects += [Key("variable", name) for name in requires.variables]
    objects += [Key("pool", name) for name in requires.pools]
    for key in objects if offer else ():
        standing = _standing(key, offer) if offer else None
        if standing:
            needs.append(_need(key.kind, key.name, standing))
    return tuple(needs)


def _standing(key: Key, offer: Offer) -> Standing | None:
    declared = key in offer.declared
    if offer.present is None:
        return None if declared else "undeclared"
    if key in offer.present:
        return None if declared else "by hand"
    return "not applied" if declared else "missing"


def _need(what: str, name: str, standing: Standing) -> Need:
    if standing == "by hand":
        return Need(what, name, standing, "cosmetic")
    kind: Literal["missing", "changed"] = "changed" if standing == "undeclared" else "missing"
    return Need(what, name, standing, impact_of(Subject(("need", what), kind)))
