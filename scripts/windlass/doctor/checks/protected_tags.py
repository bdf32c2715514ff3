"""Tags like v1.2.3 are protected: who may push one decides what goes to production."""

from collections.abc import Iterator

from windlass.doctor.examined import Examined, matches
from windlass.spec.project_settings import seen

NAME = "protected-tags"
PLACE = "project"
SEVERITY = "error"
MENU = "Settings > Repository > Protected tags: v*, allowed to create: maintainers"
API = "POST /projects/:id/protected_tags name=v* create_access_level=40"

_TAGS = ("v0.1.0", "v1.2.3", "v10.20.30")
MAINTAINER = 40


def check(examined: Examined) -> Iterator[str]:
    """A sentence when such a tag is open, and when developers may make it."""
    rules = seen(examined.settings.tags)
    if open_tags := [tag for tag in _TAGS if not any(matches(rule.name, tag) for rule in rules)]:
        named = ", ".join(repr(rule.name) for rule in rules) or "none"
        yield f"a tag like {open_tags[0]!r} is not protected; protected are: {named}"
    for rule in rules:
        if any(matches(rule.name, tag) for tag in _TAGS) and any(0 < level < MAINTAINER for level in rule.push):
            yield f"developers may create tags {rule.name!r}: one of them alone decides what goes to production"
