"""Which GitLab runner trains the models of a flavor: no part of what pipelines see when they run."""

from collections.abc import Collection, Mapping

from windlass.spec.problem import near
from windlass.spec.schema import Noun, Text


class Runner(Noun):
    """The tags that the runner has, and the image of the job there, which has Python 3.11 or newer, pip and git."""

    tags: list[Text] = []
    image: Text | None = None


def require_flavors(runners: Mapping[str, Runner], flavors: Collection[str]) -> None:
    """ValueError with the first of `runners` that is none of `flavors`."""
    for name in runners:
        if name not in flavors:
            raise ValueError(f"runners: there is no flavor {name!r}{near(name, flavors)}")
