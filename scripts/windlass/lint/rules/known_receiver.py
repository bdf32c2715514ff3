"""Every environment knows who is behind the names in a pipeline's `notify`: they are the keys of its own `notify`.

A message for a name that nobody knows is not sent, and only a line in a log says so. An environment that shall send
none has the name all the same, or the pipeline takes it back there: `environments: {dev: {dag: {notify: {failure:
null}}}}`.
"""

from collections.abc import Iterator

from windlass.lint.declared import undeclared
from windlass.lint.project import Project
from windlass.spec.dag import Notify
from windlass.spec.document import Location
from windlass.spec.pipeline import Pipeline
from windlass.spec.problem import Problem

NAME = "known-receiver"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each name that an environment does not declare."""
    yield from undeclared(project, NAME, "receiver", _asked, lambda environment: environment.notify)


def _asked(pipeline: Pipeline) -> Iterator[tuple[Location, str]]:
    for event in Notify.model_fields:
        for i, name in enumerate(getattr(pipeline.dag.notify, event, None) or ()):
            yield ("dag", "notify", event, i), name
