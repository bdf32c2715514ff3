"""There is a runner for jobs without tags, and one for the tags of each of the first environment's `runners`."""

from collections.abc import Iterator

from windlass.doctor.examined import Examined
from windlass.spec.project_settings import Runner, Unseen, seen

NAME = "runner-tags"
PLACE = "project"
SEVERITY = "error"
MENU = "Settings > CI/CD > Runners: tags, run untagged jobs"
API = "PUT /runners/:id tag_list=... run_untagged=true"


def check(examined: Examined) -> Iterator[str]:
    """A sentence for each kind of job that would wait for ever."""
    runners = [runner for runner in seen(examined.settings.runners) if runner.online]
    if not any(runner.untagged for runner in runners):
        yield "no runner that is online takes jobs without tags, as those of ci/*.yml are"
    for flavor, tags in _tags(examined):
        if not any(tags <= runner.tags for runner in runners):
            wanted = ", ".join(sorted(tags))
            yield f"no runner that is online has the tags of flavor {flavor!r}: {wanted}{_near(runners)}"


def _tags(examined: Examined) -> list[tuple[str, frozenset[str]]]:
    """The tags of each flavor of the first environment, where models are trained."""
    if isinstance(examined.environments, Unseen):
        return []
    first = [one for one in examined.environments.values() if one.upstream is None]
    runners = [(name, frozenset(runner.tags)) for one in first for name, runner in sorted(one.runners.items())]
    return [(name, tags) for name, tags in runners if tags]


def _near(runners: list[Runner]) -> str:
    tags = sorted({tag for runner in runners for tag in runner.tags})
    return f"; there are: {', '.join(tags)}" if tags else ""
