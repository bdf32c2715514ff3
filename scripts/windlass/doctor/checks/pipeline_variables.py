"""Maintainers alone give variables to a pipeline or a job that they start: these go before what any file says.

With `WINDLASS_PLATFORM` or `WINDLASS_IMAGE` somebody has jobs of a protected branch run what nobody reviewed. Where
nobody may give one, `override` gets no reason as a job, and no pipeline is started that only rolls back.
"""

from collections.abc import Iterator

from windlass.doctor.examined import Examined
from windlass.spec.project_settings import NotSeen, seen

NAME = "pipeline-variables"
PLACE = "project"
SEVERITY = "warning"
MENU = "Settings > CI/CD > Variables: minimum role to use pipeline variables: maintainer"
API = "PUT /projects/:id ci_pipeline_variables_minimum_override_role=maintainer"


def check(examined: Examined) -> Iterator[str]:
    """A sentence where others may, and where nobody may."""
    role = seen(examined.settings.project).variables_role
    if role is None:
        raise NotSeen("GitLab does not tell this token")
    if role == "developer":
        yield "developers may give variables to a pipeline: they go before the inputs that a merge request showed"
    elif role == "no_one_allowed":
        yield "nobody may give variables to a pipeline: override gets no reason, and nobody starts a rollback"
