"""The files that a model or a pipeline names exist, and are inside the project.

A pipeline names them as `docs: docs/x.md` and `{file: sql/x.sql}`; they are UTF-8 text. An argument `sql` that is only
the path of a file would be sent to the database as it is.
"""

import re
from collections.abc import Iterator
from typing import Any

from windlass.lint.project import ModelFile, PipelineFile, Project
from windlass.spec.document import MAX_BYTES, Location
from windlass.spec.file_value import is_file, is_path
from windlass.spec.files import read_inside, why_outside
from windlass.spec.names import check_relative_path
from windlass.spec.problem import Problem

NAME = "known-file"
_SQL_FILE = re.compile(r"[A-Za-z0-9_./-]+\.sql")


def check(project: Project) -> Iterator[Problem]:
    """A problem for each file that is not there, or that is no text where a pipeline takes it in."""
    for file in project.models:
        for location, path in _paths(file):
            if not path:
                continue  # the schema has said so
            reason = _why_not(path) or why_outside(project.folder, path)
            if reason:
                yield file.document.problem(location, NAME, f"{path!r}: {reason}")
    for pipeline in project.pipelines:
        for location, path in _files_of(pipeline):
            if reason := _why_no_path(path) or _why_no_text(read_inside(project.folder, path)):
                yield pipeline.document.problem(location, NAME, f"{path!r}: {reason}")
        for _, place, task in pipeline.tasks():
            for key, value in task.arguments.items():
                if (key == "sql" or key.endswith("_sql")) and isinstance(value, str) and _SQL_FILE.fullmatch(value):
                    message = f"{value!r} is a path and no query; write {{file: {value}}}"
                    yield pipeline.document.problem((*place, key), NAME, message)


def _paths(file: ModelFile) -> Iterator[tuple[Location, str]]:
    if file.model is None:
        return
    for key in ("code", "files"):
        for i, path in enumerate(getattr(file.model, key)):
            yield (key, i), path
    for port, source in file.model.data.items():
        if not source.startswith("s3://"):
            yield ("data", port), source


def _files_of(file: PipelineFile) -> Iterator[tuple[Location, str]]:
    """The files of `docs` and of arguments, also of those that differ in an environment."""
    if file.pipeline is None:
        return
    documented = [(("dag",), file.pipeline.dag.docs), *((location, task.docs) for _, location, task in file.tasks())]
    for location, docs in documented:
        if docs and is_path(docs):
            yield (*location, "docs"), docs
    for _, location, task in file.tasks():
        yield from _values(task.arguments, location)
    for name, overlay in file.pipeline.environments.items():
        yield from _values(overlay.tasks, ("environments", name, "tasks"))


def _values(value: Any, location: Location) -> Iterator[tuple[Location, str]]:
    """Every `{file: PATH}` in a value."""
    if is_file(value):
        yield (*location, "file"), value["file"]
    elif isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _values(item, (*location, key))


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
