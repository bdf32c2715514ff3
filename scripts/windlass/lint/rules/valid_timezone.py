"""`timezone` is a name of the IANA time zone database, like `Europe/Berlin`."""

from collections.abc import Iterator
from functools import cache
from zoneinfo import available_timezones

from windlass.lint.project import Project
from windlass.lint.variants import variants, written
from windlass.spec.problem import Problem, near

NAME = "valid-timezone"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each time zone that does not exist."""
    for file in project.pipelines:
        for environment, pipeline in variants(file):
            name = pipeline.dag.timezone
            if name != "UTC" and name not in _names():
                advice = near(name, _names()) if "/" in name else "; take UTC or a name like Europe/Berlin"
                place = written(file, environment, ("dag", "timezone"))
                yield file.document.problem(place, NAME, f"there is no time zone {name!r}{advice}")


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones()) - {"localtime", "Factory"}  # what they are says the machine
