"""The files that a model names exist, and are inside the project."""

from collections.abc import Iterator

from windlass.lint.project import ModelFile, Project
from windlass.spec.document import Location
from windlass.spec.files import why_outside
from windlass.spec.names import check_relative_path
from windlass.spec.problem import Problem

NAME = "known-file"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each file of a model that is not there."""
    for file in project.models:
        for location, path in _paths(file):
            if not path:
                continue  # the schema has said so
            reason = _why_not(path) or why_outside(project.folder, path)
            if reason:
                yield file.document.problem(location, NAME, f"{path!r}: {reason}")


def _paths(file: ModelFile) -> Iterator[tuple[Location, str]]:
    if file.model is None:
        return
    for key in ("code", "files"):
        for i, path in enumerate(getattr(file.model, key)):
            yield (key, i), path
    for port, source in file.model.data.items():
        if not source.startswith("s3://"):
            yield ("data", port), source


def _why_not(path: str) -> str | None:
    try:
        check_relative_path(path)
    except ValueError:
        return "this is no path inside the project, and no s3:// address"
    return None
