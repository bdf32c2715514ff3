"""The CI files are included at a tag of the platform, and the jobs fetch that same version of the tool.

With a branch, a push to the platform changes the pipelines of every repository at that moment, unseen by its people.
"""

import re
from collections.abc import Iterator

from windlass.doctor.ci_file import Include
from windlass.doctor.examined import Examined
from windlass.spec.project_settings import seen

NAME = "include-ref"
PLACE = "repository"
SEVERITY = "error"
MENU = ".gitlab-ci.yml: include: ref, and the input platform_ref"
API = ""

_COMMIT = re.compile(r"[0-9a-f]{40}")
_VERSION = re.compile(r"v?\d+(\.\d+)*([.-][A-Za-z0-9.]+)?")


def check(examined: Examined) -> Iterator[str]:
    """A sentence for each include that can change under the repository, and for two versions in one."""
    found = seen(examined.ci_file)
    if found.problem:
        yield found.problem
        return
    if not found.includes and not found.is_local:
        yield ".gitlab-ci.yml includes no file of windlass, as ci/model.yml is one"
    for include in found.includes:
        yield from _pinned(include)
    for include in found.includes:
        if include.ref is not None and _VERSION.fullmatch(include.ref):
            tags = seen(examined.settings.platform_tags)
            if not tags.get(include.ref, True):
                yield f"{include.project} has no tag {include.ref!r}, at which {include.file} is included"


def _pinned(include: Include) -> Iterator[str]:
    where = f"{include.file} of {include.project}"
    if include.ref is None:
        yield f"{where} is included without ref: it is that of the default branch at each moment"
    elif not (_COMMIT.fullmatch(include.ref) or _VERSION.fullmatch(include.ref)):
        yield f"{where} is included at {include.ref!r}, which is no version: name a tag, as v1.2.3 is one"
    if include.platform_ref is not None and include.platform_ref != include.ref:
        yield f"{where} is included at {include.ref!r}, but its platform_ref is {include.platform_ref!r}: give one"
