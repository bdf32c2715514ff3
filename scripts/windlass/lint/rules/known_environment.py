"""Environments that files name exist: upstream ones, those that are extended, those of a pipeline's overlays.

The way upstream never leads back.
"""

from collections.abc import Iterator

from windlass.lint.project import Project
from windlass.spec.problem import Problem, near

NAME = "known-environment"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each environment that is not there or upstream of itself; reading checks `extends`."""
    for file in project.pipelines:
        for name in file.pipeline.environments if file.pipeline and project.environments else ():
            if name not in (project.environments or {}):
                message = f"there is no environment {name!r}{near(name, project.environments or {})}"
                yield file.document.problem(("environments", name), NAME, message, at_key=True)
    documents = project.environment_documents
    upstream: dict[str, str] = {}
    for name, document in documents.items():
        value = document.value.get("upstream") if isinstance(document.value, dict) else None
        if isinstance(value, str):
            upstream[name] = value
    names = [name for name in documents if name != "base"]
    for name, above in upstream.items():
        if above not in names:
            message = f"upstream: there is no environment {above!r}{near(above, names)}"
            yield documents[name].problem(("upstream",), NAME, message)
            continue
        way = [name]
        while above in upstream and above not in way:
            way.append(above)
            above = upstream[above]
        if above == name:
            message = f"upstream leads round in a circle: {' -> '.join([*way, name])}"
            yield documents[name].problem(("upstream",), NAME, message)
