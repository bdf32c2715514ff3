"""Secret variables are masked, so that no job's log shows them; GitLab cannot mask files and texts of several lines."""

from collections.abc import Iterator

from windlass.doctor.examined import Examined

NAME = "variable-masked"
PLACE = "project"
SEVERITY = "error"
MENU = "Settings > CI/CD > Variables: visibility masked, or masked and hidden"
API = "PUT /projects/:id/variables/NAME value=... masked=true"


def check(examined: Examined) -> Iterator[str]:
    """A sentence for each that is not."""
    told = set()
    for _, variable in examined.secrets():
        if not (variable.masked or variable.is_file or variable in told):
            told.add(variable)
            yield f"{variable.key} of {variable.origin}, scope {variable.scope!r}, is a secret and not masked"
