"""The files that a model or a pipeline names exist, and are inside the project.

A pipeline names them as `docs: docs/x.md`, `sql: sql/x.sql` (one word that ends so) and, in any argument,
`{file: conf/x.json}`; they are UTF-8 text.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from windlass.catalog.file_arguments import file_endings
from windlass.catalog.operator import Operator
from windlass.lint.near_file import with_near_file
from windlass.lint.project import ModelFile, PipelineFile, Project, place
from windlass.spec.document import MAX_BYTES, Location
from windlass.spec.file_value import is_file, is_path, is_short
from windlass.spec.files import read_inside, why_outside
from windlass.spec.names import check_relative_path
from windlass.spec.problem import Problem

NAME = "known-file"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each file that is not there, or that is no text where a pipeline takes it in."""
    for file in project.models:
        for location, path in _paths(file):
            if not path:
                continue  # the schema has said so
            reason = _why_not(path) or why_outside(project.folder, path)
            if reason:
                yield file.document.problem(location, NAME, f"{path!r}: {with_near_file(reason, project.folder, path)}")
    for pipeline in project.pipelines:
        for location, path in _files_of(pipeline, project.catalog.operators):
            if reason := _why_no_path(path) or _why_no_text(read_inside(project.folder, path)):
                message = f"{path!r}: {with_near_file(reason, project.folder, path)}"
                yield pipeline.document.problem(location, NAME, message)


def _paths(file: ModelFile) -> Iterator[tuple[Location, str]]:
    if file.model is None:
        return
    for key in ("code", "files"):
        for i, path in enumerate(getattr(file.model, key)):
            yield (key, i), path
    for port, source in file.model.data.items():
        if not source.startswith("s3://"):
            yield ("data", port), source


def _files_of(file: PipelineFile, operators: Mapping[str, Operator]) -> Iterator[tuple[Location, str]]:
    """The files of `docs` and of arguments, also of those that differ in an environment."""
    if file.pipeline is None:
        return
    documented = [(("dag",), file.pipeline.dag.docs), *((location, task.docs) for _, location, task in file.tasks())]
    for location, docs in documented:
        if docs and is_path(docs):
            yield (*location, "docs"), docs
    for task_id, location, task in file.tasks():
        operator = operators.get(task.operator_type or "")
        yield from _of_arguments(task.arguments, location, operator)
        for name, overlay in file.pipeline.environments.items():
            differing = _below(overlay.tasks, task_id)
            own = {key: value for key, value in differing.items() if key in task.arguments}
            yield from _of_arguments(own, ("environments", name, *place(task_id)), operator)


def _below(value: Any, task_id: str) -> Mapping[str, Any]:
    for part in task_id.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def _of_arguments(
    arguments: Mapping[str, Any], location: Location, operator: Operator | None
) -> Iterator[tuple[Location, str]]:
    for name, value in arguments.items():
        yield from _values(value, (*location, name), file_endings(name, operator))


def _values(value: Any, location: Location, endings: tuple[str, ...]) -> Iterator[tuple[Location, str]]:
    """Every `{file: PATH}` in a value, and every path that stands for itself: in the argument or a list there."""
    if is_file(value):
        yield (*location, "file"), value["file"]
    elif is_short(value, endings):
        yield location, value
    elif isinstance(value, (dict, list)):
        inner = endings if isinstance(value, list) else ()
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _values(item, (*location, key), inner)


def _why_no_path(path: str) -> str | None:
    return "this is no path inside the project" if _why_not(path) else None


def _why_no_text(content: bytes | str) -> str | None:
    if isinstance(content, str):
        return content
    if len(content) > MAX_BYTES:
        return f"the file has more than {MAX_BYTES:,} bytes"
    try:
        return "the file has zero bytes in it" if "\0" in content.decode("utf-8") else None
    except UnicodeDecodeError:
        return "the file is not UTF-8 text"


def _why_not(path: str) -> str | None:
    try:
        check_relative_path(path)
    except ValueError:
        return "this is no path inside the project, and no s3:// address"
    return None
