"""No two environments keep their states, or their models, under the same prefix of the same bucket.

A promotion to one of them would change both.
"""

from collections.abc import Iterator

from windlass.lint.project import Project
from windlass.spec.document import Document
from windlass.spec.environment import environment_layers, not_apart, same_place
from windlass.spec.problem import Problem

NAME = "distinct-prefix"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each environment whose place another one has too, at the prefix of one of them."""
    for name, other, bucket in same_place(project.own_environments):
        if not _writes_prefix(project, name) and _writes_prefix(project, other):
            name, other = other, name  # a prefix that nobody wrote is the name
        why = not_apart(project.own_environments[name].prefix, bucket, other)
        holder = _writes_prefix(project, name) or project.environment_documents[name]
        yield holder.problem(("prefix",), NAME, why)


def _writes_prefix(project: Project, name: str) -> Document | None:
    """The nearest file that says the environment's prefix."""
    layers = environment_layers(name, project.environment_documents)
    return next((layer for layer in layers if ("prefix",) in layer.values), None)
