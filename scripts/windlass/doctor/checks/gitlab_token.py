"""Where an environment has a gate, its jobs have a token that may read: WINDLASS_GITLAB_TOKEN.

With the job's own token the gate reads approvals from system notes, and cannot see who is in a group that a role names.
"""

from collections.abc import Iterator

from windlass.doctor.examined import Examined
from windlass.spec.project_settings import seen

NAME = "gitlab-token"
PLACE = "project"
SEVERITY = "warning"
MENU = "Settings > Access tokens: role Reporter, scope read_api; then Settings > CI/CD > Variables, masked"
API = "POST /projects/:id/access_tokens, POST /projects/:id/variables key=WINDLASS_GITLAB_TOKEN masked=true"


def check(examined: Examined) -> Iterator[str]:
    """A sentence for each environment with a gate whose jobs have none."""
    for environment in seen(examined.environments).values():
        if environment.gate is not None and examined.variable("WINDLASS_GITLAB_TOKEN", environment.name) is None:
            examined.need_all_variables()
            yield f"environment {environment.name!r} has a gate, but its jobs have no WINDLASS_GITLAB_TOKEN"
