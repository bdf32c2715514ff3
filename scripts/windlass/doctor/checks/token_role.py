"""A WINDLASS_GITLAB_TOKEN that is not protected has the role Reporter, and is nobody's own.

Who may push a branch may print the token there. With the role Developer and `api` a branch approves itself; with
Maintainer even `read_api` reads the variables of every environment. One with a higher role is protected, and best has
the scope of its environment.
"""

from collections.abc import Iterator

from windlass.doctor.examined import TOKEN, Examined
from windlass.spec.project_settings import NotSeen, Token, Unseen, seen

NAME = "token-role"
PLACE = "project"
SEVERITY = "warning"
MENU = (
    "Settings > CI/CD > Variables: WINDLASS_GITLAB_TOKEN: protect variable, environment scope; or a token of a Reporter"
)
API = "PUT /projects/:id/variables/WINDLASS_GITLAB_TOKEN value=... protected=true environment_scope=ENV"

REPORTER = 20
_ROLES = {30: "Developer", 40: "Maintainer", 50: "Owner"}


def check(examined: Examined) -> Iterator[str]:
    """A sentence about a token that gives more to whoever may push a branch."""
    token = examined.settings.token
    if not isinstance(token, Unseen) and token.on_open_branch:
        yield from _too_much(token)
        return
    unprotected = [one for one in seen(examined.settings.variables) if one.key == TOKEN and not one.protected]
    if not unprotected:
        examined.need_all_variables()
        return
    token = seen(token)
    if not token.is_of_jobs or (token.in_job and examined.variable(TOKEN, token.environment) not in unprotected):
        raise NotSeen(f"which role the {TOKEN} has that is not protected: call windlass doctor with that token")
    yield from _too_much(token)


def _too_much(token: Token) -> Iterator[str]:
    if token.kind == "person":
        yield f"{TOKEN} is the own token of {token.owner}: who may push a branch reads it, and is {token.owner} with it"
    elif token.level > REPORTER:
        role = next(name for level, name in _ROLES.items() if token.level <= level or level == max(_ROLES))
        yield f"{TOKEN} of {token.owner} has the role {role} and is not protected: who may push a branch reads it"
