"""The `gate` of an environment can be passed: `roles.yml` has its roles, and enough people hold them.

What has to soak has an environment before it, and its freeze windows leave some time open in the coming year.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from windlass.lint.open_time import leaves_time
from windlass.lint.project import Project
from windlass.spec.document import Location
from windlass.spec.environment import Environment, environment_layers
from windlass.spec.gate import PromotionGate
from windlass.spec.problem import Problem
from windlass.spec.roles import Roles, names, unknown_role

NAME = "possible-gate"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each role, number of people and time in a gate that nobody can satisfy."""
    seen: set[Problem] = set()
    for name, environment in project.own_environments.items():
        for location, why in _faults(environment, project.roles):
            layers = environment_layers(name, project.environment_documents)
            layer = next((layer for layer in layers if location in layer.values), layers[0])
            problem = layer.problem(location, NAME, why)
            if problem not in seen:  # of a base that several environments extend
                seen.add(problem)
                yield problem


def _faults(environment: Environment, roles: Roles | None) -> Iterator[tuple[Location, str]]:
    gate = environment.gate
    if gate is None:
        return
    if gate.soak is not None and environment.upstream is None:
        yield ("gate", "soak"), f"soak: {environment.name} has no upstream in which a release could soak"
    if not leaves_time(gate.freeze, datetime.now(UTC)):
        yield ("gate", "freeze"), "freeze: its windows leave no time open in the coming year; shorten one of them"
    if roles is None:
        return
    for place, role, count in gate.named_roles:
        if role not in roles:
            yield ("gate", *place), unknown_role(role, roles)
        elif (most := roles[role].most) is not None and most < count:
            yield ("gate", *place), f"{role}: {count} people are needed, and roles.yml names {most} for it"
    yield from _too_few_to_override(gate, roles)


def _too_few_to_override(gate: PromotionGate, roles: Roles) -> Iterator[tuple[Location, str]]:
    asked = gate.override
    if asked is None or any(name not in roles or roles[name].groups for name in asked.roles):
        return
    people = names(user for name in asked.roles for user in roles[name].users)
    if len(people) < asked.people:
        why = f"people: {asked.people} are needed, and roles.yml names {len(people)} for {', '.join(asked.roles)}"
        yield ("gate", "override", "people"), why
