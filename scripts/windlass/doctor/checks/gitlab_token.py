"""Where an environment has a gate, its jobs have a token that may read what the gate asks: WINDLASS_GITLAB_TOKEN.

With the job's own token the gate reads approvals from system notes, and cannot see who is in a group that a role or
a path rule names. A project's token is not told who is in a private group either, and the gate ends with exit code 3:
take one of a group above all of them, or of a service account that was invited to each, with the role Reporter.
"""

from collections.abc import Iterator

from windlass.doctor.examined import TOKEN, Examined
from windlass.spec.environment import Environment
from windlass.spec.project_settings import NotSeen, Token, Unseen, seen

NAME = "gitlab-token"
PLACE = "project"
SEVERITY = "warning"
MENU = (
    "Settings > Access tokens of a group above (or of a service account that is in each group): role Reporter, scope "
    "read_api; then Settings > CI/CD > Variables, masked"
)
API = "POST /groups/:id/access_tokens, POST /projects/:id/variables key=WINDLASS_GITLAB_TOKEN masked=true"


def check(examined: Examined) -> Iterator[str]:
    """A sentence for each environment with a gate whose jobs have none, and for each group that it cannot read."""
    token, doubtful = examined.settings.token, set()
    for environment in examined.gated():
        groups = _closed(examined, environment)
        if not isinstance(token, Unseen) and token.is_of_jobs and _has(environment, token, examined):
            for group in groups:
                yield (
                    f"the token of {token.owner} ({_told(token)}) may not read who is in {group!r}, "
                    f"which the gate of {environment.name!r} asks for: it ends with exit code 3"
                )
        else:
            doubtful.update(groups)
    for environment in examined.gated():
        if examined.variable(TOKEN, environment.name) is None:
            examined.need_all_variables()
            named = ", ".join(examined.groups(environment))
            counts = f": nobody counts who is in {named}" if named else ""
            yield f"environment {environment.name!r} has a gate, but its jobs have no {TOKEN}{counts}"
    if doubtful:
        named = ", ".join(sorted(doubtful))
        raise NotSeen(f"whether {TOKEN} of the jobs may read who is in {named}: call windlass doctor with that token")


def _closed(examined: Examined, environment: Environment) -> list[str]:
    """The groups of the gate that are private or not there for this token; of a jobs' token those it cannot read."""
    token, wanted = examined.settings.token, examined.groups(environment)
    found = seen(examined.settings.groups) if wanted else {}
    is_of_jobs = not isinstance(token, Unseen) and token.is_of_jobs
    closed = []
    for path in wanted:
        group = found.get(path)
        if group is None or group.members is None or (group.is_private and not is_of_jobs):
            closed.append(path)
    return closed


def _has(environment: Environment, token: Token, examined: Examined) -> bool:
    """Whether jobs of the environment have this token, as far as that can be seen."""
    if not token.in_job or isinstance(examined.settings.variables, Unseen):
        return True
    return examined.variable(TOKEN, environment.name) == examined.variable(TOKEN, token.environment)


def _told(token: Token) -> str:
    return "a person" if token.kind == "person" else f"a token of a {token.kind}"
