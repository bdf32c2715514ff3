"""The platform's default branch is protected: environments, roles and gates are read as they stand there."""

from collections.abc import Iterator

from windlass.doctor.examined import Examined
from windlass.spec.project_settings import seen

NAME = "platform-branch"
PLACE = "platform"
SEVERITY = "error"
MENU = "in the platform project: Settings > Repository > Protected branches"
API = "POST /projects/:platform/protected_branches name=main push_access_level=0 merge_access_level=40"


def check(examined: Examined) -> Iterator[str]:
    """A sentence when somebody may change the policies without a merge request."""
    branch = seen(examined.settings.platform_branch)
    if not branch.protected:
        yield f"the default branch {branch.name!r} of the platform project is not protected"
    elif branch.developers_push:
        yield f"developers may push to {branch.name!r} of the platform project without a merge request"
