"""A pipeline is called like its file, every file's name can be used as a name, and no two pipelines share one.

Pipelines stand in `pipelines/` itself: a file in a folder below it is a problem, since nobody reads it.
"""

from collections.abc import Iterator

from windlass.lint.project import Project
from windlass.spec.names import check_word
from windlass.spec.problem import Problem

NAME = "known-name"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each `dag.name` that is not its file's name, and for each name that is taken or unusable."""
    seen: dict[str, str] = {}
    for file in project.pipelines:
        value = file.document.value
        written = value["dag"].get("name") if isinstance(value, dict) and isinstance(value.get("dag"), dict) else None
        if not isinstance(written, str):
            continue  # the schema has said so
        if written in seen:
            message = f"dag.name {written!r} is taken by {seen[written]}; every pipeline needs its own name"
            yield file.document.problem(("dag", "name"), NAME, message)
        elif written != file.name:
            message = f"dag.name is {written!r}, but the file is called {file.name!r}; make them the same"
            yield file.document.problem(("dag", "name"), NAME, message)
        seen.setdefault(written, file.document.path)
    others = [*(model.document for model in project.models), *project.environment_documents.values()]
    for document in others:
        stem = document.path.rpartition("/")[2].removesuffix(".yml")
        try:
            check_word(stem)
        except ValueError as error:
            yield document.problem((), NAME, f"the file's name: {error}")
