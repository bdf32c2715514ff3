"""Each `${NAME}` in `environments/*.yml` is a CI/CD variable whose scope holds that environment."""

from collections.abc import Iterator

from windlass.doctor.examined import Examined
from windlass.spec.project_settings import seen

NAME = "variables"
PLACE = "project"
SEVERITY = "error"
MENU = "Settings > CI/CD > Variables of the project or its group, with the environment as scope"
API = "POST /projects/:id/variables key=NAME environment_scope=ENV"


def check(examined: Examined) -> Iterator[str]:
    """A sentence for each name that an environment does not get."""
    everywhere = seen(examined.settings.variables)
    missing = [(one.name, name) for one, name in examined.wanted() if not examined.variable(name, one.name)]
    if missing:
        examined.need_all_variables()
    for environment, name in missing:
        scopes = sorted({repr(variable.scope) for variable in everywhere if variable.key == name})
        has = f"is there for {', '.join(scopes)} only" if scopes else "is not there"
        yield f"{name}, which environments/{environment}.yml wants, {has}"
