"""The users and groups that `environments/roles.yml` names are there, and as many as each gate asks for.

Nobody's approval never comes.
"""

from collections.abc import Iterator

from windlass.doctor.examined import Examined
from windlass.spec.project_settings import Unseen, seen
from windlass.spec.roles import Role, Roles, names

NAME = "roles"
PLACE = "platform"
SEVERITY = "error"
MENU = "environments/roles.yml in the platform project"
API = ""


def check(examined: Examined) -> Iterator[str]:
    """A sentence for each name that GitLab does not know, and for each number of people that nobody can reach."""
    roles = seen(examined.roles) or {}
    for role, holders in sorted(roles.items()):
        for user in holders.users:
            if not seen(examined.settings.users).get(user, False):
                yield f"role {role!r} names the user {user!r}, who is not in this GitLab or is blocked"
        for group in holders.groups:
            if seen(examined.settings.groups).get(group) is None:
                yield f"role {role!r} names the group {group!r}, which this token does not see in GitLab"
    if not isinstance(examined.environments, Unseen):
        yield from dict.fromkeys(_too_few(examined, roles))


def _too_few(examined: Examined, roles: Roles) -> Iterator[str]:
    """What lint cannot see: how many are in the groups of a role."""
    for environment in examined.gated():
        assert environment.gate is not None
        for _, role, count in environment.gate.named_roles:
            people = _people(examined, [roles[role]]) if role in roles else None
            if people is not None and len(people) < count:
                yield f"the gate of {environment.name!r} asks for {count} of role {role!r}, and {len(people)} hold it"
        if (asked := environment.gate.override) and all(role in roles for role in asked.roles):
            people = _people(examined, [roles[role] for role in asked.roles])
            if people is not None and len(people) < asked.people:
                yield (
                    f"override in {environment.name!r} takes {asked.people} people of {', '.join(asked.roles)}, "
                    f"and {len(people)} hold these roles"
                )


def _people(examined: Examined, roles: list[Role]) -> frozenset[str] | None:
    """Who holds one of the roles, of those who are there; None where the members of a group are not told."""
    found = {user for role in roles for user in names(one for one in role.users if _is_there(examined, one))}
    for path in {path for role in roles for path in role.groups}:
        group = seen(examined.settings.groups).get(path)
        if group is None or group.members is None:
            return None
        found |= group.members
    return frozenset(found)


def _is_there(examined: Examined, user: str) -> bool:
    return seen(examined.settings.users).get(user, False)
