"""The outputs of one task, or of one model, are files of different names: they are written to one folder."""

from collections.abc import Iterator, Mapping

from windlass.lint.project import Project
from windlass.spec.document import Document, Location
from windlass.spec.problem import Problem

NAME = "distinct-filenames"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each output whose file name an earlier output of the same task or model has."""
    for file, _, location, task in project.tasks():
        yield from _check(file.document, location, task.filenames)
    for model_file in project.models:
        if model_file.model:
            yield from _check(model_file.document, (), model_file.model.outputs)


def _check(document: Document, location: Location, outputs: Mapping[str, str]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for port, filename in outputs.items():
        if filename and filename in first:
            message = f"outputs {first[filename]!r} and {port!r} are both the file {filename!r}; name them differently"
            yield document.problem((*location, "outputs", port), NAME, message)
        first.setdefault(filename, port)
