"""The environments of deliveries are not stopped by GitLab when a branch is merged or deleted."""

from collections.abc import Iterator

from windlass.doctor.examined import Examined
from windlass.spec.project_settings import Unseen, seen

NAME = "auto-stop"
PLACE = "project"
SEVERITY = "warning"
MENU = "Operate > Environments > ENV > Edit: stop environment only with an action"
API = "PUT /projects/:id/environments/:environment_id auto_stop_setting=with_action"


def check(examined: Examined) -> Iterator[str]:
    """A sentence for each that may be stopped."""
    known = () if isinstance(examined.environments, Unseen) else tuple(examined.environments)
    for environment in seen(examined.settings.environments):
        if environment.name in (known or ("dev", "stage", "prod")) and environment.auto_stop == "always":
            yield f"environment {environment.name!r} is stopped when a branch that deployed to it is merged or deleted"
