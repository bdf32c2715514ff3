"""A `gate` has an `override`: GitLab takes no approval after the merge, so without one a mistake stays for ever.

What was merged unapproved, or pushed past a merge request, is among what every later release brings, and a revert
leaves it there. Where nobody shall ever override, say so: `# windlass: ignore[gate-override] the regulator's wish`.
"""

from collections.abc import Iterator

from windlass.lint.project import Project
from windlass.spec.environment import environment_layers
from windlass.spec.problem import Problem

NAME = "gate-override"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each gate that nobody can override."""
    seen: set[Problem] = set()
    for name, environment in project.own_environments.items():
        if environment.gate is None or environment.gate.override is not None:
            continue
        layers = environment_layers(name, project.environment_documents)
        layer = next((layer for layer in layers if ("gate",) in layer.values), layers[0])
        message = (
            "the gate has no override: once something unapproved was merged, it lets nothing pass any more; "
            "add override: {people: 2, roles: [...]}"
        )
        problem = layer.problem(("gate",), NAME, message, at_key=True)
        if problem not in seen:  # of a base that several environments extend
            seen.add(problem)
            yield problem
