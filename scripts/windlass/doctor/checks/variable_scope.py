"""A secret of an environment has that environment's scope: with `*` every job has it, in merge requests too."""

from collections.abc import Iterator

from windlass.doctor.examined import Examined
from windlass.spec.project_settings import seen

NAME = "variable-scope"
PLACE = "project"
SEVERITY = "warning"
MENU = "Settings > CI/CD > Variables: environment scope"
API = "PUT /projects/:id/variables/NAME value=... environment_scope=ENV filter[environment_scope]=*"


def check(examined: Examined) -> Iterator[str]:
    """A sentence for each secret of an environment after the first that is there for all."""
    first = {environment.name for environment in seen(examined.environments).values() if environment.upstream is None}
    for environment, variable in examined.secrets():
        if environment.name not in first and variable.scope == "*" and not variable.key.startswith("WINDLASS_GITLAB_"):
            yield f"{variable.key} of {variable.origin}, a secret of {environment.name!r}, has the scope '*'"
