"""The users and groups that `environments/roles.yml` names are there: nobody's approval never comes."""

from collections.abc import Iterator

from windlass.doctor.examined import Examined
from windlass.spec.project_settings import seen

NAME = "roles"
PLACE = "platform"
SEVERITY = "error"
MENU = "environments/roles.yml in the platform project"
API = ""


def check(examined: Examined) -> Iterator[str]:
    """A sentence for each name that GitLab does not know."""
    for role, holders in sorted((seen(examined.roles) or {}).items()):
        for user in holders.users:
            if not seen(examined.settings.users).get(user, False):
                yield f"role {role!r} names the user {user!r}, who is not in this GitLab or is blocked"
        for group in holders.groups:
            if not seen(examined.settings.groups).get(group, False):
                yield f"role {role!r} names the group {group!r}, which this token does not see in GitLab"
