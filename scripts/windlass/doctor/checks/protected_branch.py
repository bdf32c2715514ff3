"""The default branch is protected, and nobody below maintainer pushes to it past a merge request.

What the gate asks for (policies, roles, approvals) is read from that branch: who may push there decides what it says.
"""

from collections.abc import Iterator

from windlass.doctor.examined import Examined, matches
from windlass.spec.project_settings import seen

NAME = "protected-branch"
PLACE = "project"
SEVERITY = "error"
MENU = "Settings > Repository > Protected branches: allowed to push and merge: maintainers or no one"
API = "POST /projects/:id/protected_branches name=main push_access_level=0 merge_access_level=30"

MAINTAINER = 40


def check(examined: Examined) -> Iterator[str]:
    """A sentence about a branch that is open."""
    branch = seen(examined.settings.project).default_branch
    rules = [rule for rule in seen(examined.settings.branches) if matches(rule.name, branch)]
    if not rules:
        yield f"the default branch {branch!r} is not protected"
    for rule in rules:
        if any(0 < level < MAINTAINER for level in rule.push):
            yield f"developers may push to {rule.name!r} without a merge request"
        if rule.force_push:
            yield f"{rule.name!r} may be pushed with force, which takes commits away that were approved"
