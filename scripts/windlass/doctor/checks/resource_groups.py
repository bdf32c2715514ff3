"""Deliveries to an environment wait for each other in their order: `oldest_first`.

GitLab's own `unordered` may let an older commit deliver after a newer one. A group is there after its first job.
"""

from collections.abc import Iterator

from windlass.doctor.examined import Examined
from windlass.spec.project_settings import seen

NAME = "resource-groups"
PLACE = "project"
SEVERITY = "warning"
MENU = "(only by the API)"
API = "PUT /projects/:id/resource_groups/windlass-ENV process_mode=oldest_first"


def check(examined: Examined) -> Iterator[str]:
    """A sentence for each group of windlass's with another mode."""
    for key, mode in sorted(seen(examined.settings.resource_groups).items()):
        if key.startswith("windlass-") and mode != "oldest_first":
            yield f"resource group {key!r} is {mode!r}: an older commit may be delivered after a newer one"
