"""What an environment extends, and the environment upstream of it, exist; upstream never leads back."""

from collections.abc import Iterator

from windlass.lint.project import Project
from windlass.spec.problem import Problem, near

NAME = "known-environment"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each `upstream` that is not there or leads round in a circle; reading checks `extends`."""
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
