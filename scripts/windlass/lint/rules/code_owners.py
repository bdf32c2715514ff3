"""`environments/CODEOWNERS` can be read, line by line, and its owners are users, groups or roles of `roles.yml`."""

from collections.abc import Iterator

from windlass.lint.project import Project
from windlass.spec.codeowners import OWNERS_FILE, RULE
from windlass.spec.problem import Problem

NAME = RULE


def check(project: Project) -> Iterator[Problem]:
    """A problem for each role that nobody described; reading finds the others."""
    for line, column, why in project.owners.unknown_roles(project.roles) if project.roles is not None else ():
        yield Problem(OWNERS_FILE, line, column, NAME, why)
