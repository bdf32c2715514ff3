"""A push takes approvals away (Premium); windlass itself counts only those after the last push, with or without it."""

from collections.abc import Iterator

from windlass.doctor.examined import Examined
from windlass.spec.project_settings import seen

NAME = "reset-approvals"
PLACE = "project"
SEVERITY = "warning"
MENU = "Settings > Merge requests > Approval settings: remove all approvals when commits are added"
API = "POST /projects/:id/approvals reset_approvals_on_push=true"


def check(examined: Examined) -> Iterator[str]:
    """A sentence when approvals outlive a push."""
    if not seen(examined.settings.resets_approvals):
        yield "approvals stay after a push: the merge request looks approved, and the gate refuses it later"
