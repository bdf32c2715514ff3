"""The platform project lets the job tokens of this project in: every job clones it, and gates are read there.

An internal or public one needs no list, unless its repository is for project members only. The list is about job tokens
alone: what a pipeline includes is read as the person who started it (platform-members). Where a place in the list has
fine-grained permissions, it needs *Repositories: Read*; GitLab's API does not tell these.
"""

from collections.abc import Iterator

from windlass.doctor.examined import Examined
from windlass.spec.project_settings import seen

NAME = "job-token-access"
PLACE = "platform"
SEVERITY = "error"
MENU = "in the platform project: Settings > CI/CD > Job token permissions: add this project or its group"
API = "POST /projects/:platform/job_token_scope/groups_allowlist target_group_id=..."


def check(examined: Examined) -> Iterator[str]:
    """A sentence when it does not."""
    own = seen(examined.settings.project).path
    tokens = seen(examined.settings.job_tokens)
    parts = own.split("/")
    above = {"/".join(parts[:count]) for count in range(1, len(parts))}
    if tokens.limited and not tokens.is_open and own not in tokens.projects and not above & tokens.groups:
        yield f"the platform project does not let the job tokens of {own} in"
