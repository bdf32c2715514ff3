"""`environments/CODEOWNERS` can be read, line by line, and its owners are users, groups or roles of `roles.yml`.

They are as many as the section asks for approvals.
"""

from collections.abc import Iterator

from windlass.lint.project import Project
from windlass.spec.codeowners import OWNERS_FILE, RULE, OwnedPath, Owners
from windlass.spec.problem import Problem
from windlass.spec.roles import Roles, names

NAME = RULE


def check(project: Project) -> Iterator[Problem]:
    """A problem for each role that nobody described and each number nobody can reach; reading finds the others."""
    for line, column, why in project.owners.unknown_roles(project.roles) if project.roles is not None else ():
        yield Problem(OWNERS_FILE, line, column, NAME, why)
    for section in project.owners.sections:
        for rule in section.rules:
            people = _most(rule, project.roles)
            if people is not None and people < section.count and not section.optional:
                owners = "1 person owns it" if people == 1 else f"{people} people own it"
                why = f"{rule.pattern!r} needs {section.count} approvals, and {owners}; name more, or a group or role"
                yield Problem(OWNERS_FILE, rule.line, 1, NAME, why)


def _most(rule: OwnedPath, roles: Roles | None) -> int | None:
    """How many people own these paths at most; None where groups decide that, or nobody has to."""
    owners: Owners = rule.owners
    if rule.excluded or not owners or owners.groups:
        return None
    named = [roles[role] if roles is not None and role in roles else None for role in owners.roles]
    if any(role is None or role.groups for role in named):
        return None
    return len(names([*owners.users, *(user for role in named if role for user in role.users)]))
