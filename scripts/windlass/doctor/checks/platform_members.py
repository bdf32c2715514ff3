"""Who starts pipelines here may read the platform project: it is internal or public, or they are members of it.

GitLab includes `ci/*.yml` only where the person who started the pipeline may read that project, and a job's token does
there what this person may. The list of projects whose job tokens are let in (job-token-access) gives nobody more.
"""

from collections.abc import Iterator

from windlass.doctor.examined import Examined
from windlass.spec.project_settings import seen

NAME = "platform-members"
PLACE = "platform"
SEVERITY = "error"
MENU = "in the platform project: Manage > Members > Invite a group: role Reporter"
API = "POST /projects/:platform/share group_id=... group_access=20"

_SHOWN = 5


def check(examined: Examined) -> Iterator[str]:
    """A sentence that names those who may not."""
    readers = seen(examined.settings.platform_readers)
    if readers.everybody:
        return
    outside = sorted(seen(examined.settings.starters) - readers.people)
    if outside:
        named = ", ".join(outside[:_SHOWN]) + (f" and {len(outside) - _SHOWN} more" if len(outside) > _SHOWN else "")
        yield f"the platform project is closed to {named}: a pipeline that they start here includes nothing, and fails"
