"""Secrets of environments after the first are protected: only protected branches and tags deliver there.

Those of the first environment are not: merge requests train and plan with them.
"""

from collections.abc import Iterator

from windlass.doctor.examined import AWS_KEYS, Examined
from windlass.spec.project_settings import seen

NAME = "variable-protected"
PLACE = "project"
SEVERITY = "error"
MENU = "Settings > CI/CD > Variables: protect variable"
API = "PUT /projects/:id/variables/NAME value=... protected=true"


def check(examined: Examined) -> Iterator[str]:
    """A sentence for each secret that any branch gets, and for a key that merge requests lack."""
    first = {environment.name for environment in seen(examined.environments).values() if environment.upstream is None}
    for environment, variable in examined.secrets():
        if environment.name not in first and not variable.protected and variable.scope != "*":
            yield (
                f"{variable.key} of {variable.origin}, scope {variable.scope!r}, is not protected: "
                "a job of any branch that names this environment gets it"
            )
    for variable in seen(examined.settings.variables):
        if variable.key in AWS_KEYS and variable.scope == "*" and variable.protected:
            yield (
                f"{variable.key} of {variable.origin}, scope '*', is protected: "
                "merge requests have no credentials to train and plan with"
            )
