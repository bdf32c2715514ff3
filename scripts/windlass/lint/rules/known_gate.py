"""A gate can be passed: its lower bound is not above its upper bound."""

from collections.abc import Iterator

from windlass.lint.project import Project
from windlass.spec.problem import Problem

NAME = "known-gate"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each gate whose bounds contradict each other."""
    for file in project.models:
        for name, gate in (file.model.gates if file.model else {}).items():
            if gate.at_least is not None and gate.at_most is not None and gate.at_least > gate.at_most:
                message = f"no value of {name!r} can be at least {gate.at_least:g} and at most {gate.at_most:g}"
                yield file.document.problem(("gates", name), NAME, message, at_key=True)
