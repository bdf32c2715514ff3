"""Merges are semi-linear (`rebase_merge`) or fast-forward (`ff`): what was tested is what is delivered.

With `merge`, the default branch gets a combination of commits that no pipeline has seen before.
"""

from collections.abc import Iterator

from windlass.doctor.examined import Examined
from windlass.spec.project_settings import NotSeen, seen

NAME = "merge-method"
PLACE = "project"
SEVERITY = "warning"
MENU = "Settings > Merge requests > Merge method: merge commit with semi-linear history"
API = "PUT /projects/:id merge_method=rebase_merge"


def check(examined: Examined) -> Iterator[str]:
    """A sentence about the other one."""
    method = seen(examined.settings.project).merge_method
    if method is None:
        raise NotSeen("GitLab does not tell this token")
    if method not in ("rebase_merge", "ff"):
        yield f"the merge method is {method!r}: what is merged may be what no pipeline has tested"
