"""A pipeline takes the newest version of a template of its own repository: `template: etl@2` once there is an `etl@2`.

Who writes a new version has the pipelines at hand; the comment `# windlass: ignore[newest-template] reason` lets one
stay behind. Templates of the platform are left alone: a new version there must not stop other repositories.
"""

from collections.abc import Iterator
from pathlib import PurePosixPath

from windlass.lint.project import Project
from windlass.spec.problem import Problem
from windlass.spec.template import parse_reference

NAME = "newest-template"


def check(project: Project) -> Iterator[Problem]:
    """A problem for each pipeline whose template has a newer version in the same repository."""
    own = [parse_reference(PurePosixPath(path).stem) for path in (project.shelf.own if project.shelf else ())]
    newest = dict(sorted(reference for reference in own if reference))
    for file in project.pipelines:
        text = file.pipeline.template if file.pipeline else None
        name, version = (parse_reference(text) if text else None) or ("", 0)
        if name and version < newest.get(name, 0):
            message = f"template {name!r} has a version {newest[name]}; write template: {name}@{newest[name]}"
            yield file.document.problem(("template",), NAME, message)
