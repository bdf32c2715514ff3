"""Renders a whole project: its DAGs, with the operators and the runtime that they import beside them."""

import ast
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from windlass.catalog.operator import Catalog
from windlass.catalog.read import STANDARD
from windlass.render.dag import render_dag
from windlass.render.surroundings import Surroundings
from windlass.render.task import modules_of
from windlass.render.texts import paths_of
from windlass.spec.errors import WindlassError
from windlass.spec.files import read_inside
from windlass.spec.needs import requires_of
from windlass.spec.pipeline import Pipeline
from windlass.spec.release import Manifest, PipelineEntry
from windlass.spec.resolved import MAX_BYTES, resolved, resolved_path

RUNTIME = STANDARD.parent / "runtime"

_IGNORED = "__init__.py\noperators/\nruntime/\nfiles/\npipelines/\n"
"""What Airflow does not search for DAGs; read the same as globs and as regular expressions."""


@dataclass(frozen=True)
class RenderedProject:
    """The files of a release by their path below the project's folder, sorted; and what its manifest says."""

    files: dict[str, bytes]
    manifest: Manifest


def render_project(
    folder: Path,
    project: str,
    pipelines: Mapping[str, Pipeline],
    catalog: Catalog,
    pins: Mapping[str, str],
    *,
    paused: bool = False,
) -> RenderedProject:
    """The project in `folder` as a package called `project`; `pipelines` by their paths, without problems.

    With `paused`, Airflow begins with the DAGs paused.
    """
    files = {"__init__.py": b"", ".airflowignore": _IGNORED.encode()}
    texts = {path: _text(folder, path) for pipeline in pipelines.values() for path in paths_of(pipeline, catalog)}
    surroundings = Surroundings(project, catalog, pins, texts, paused)
    descriptions = {path: resolved(pipeline) for path, pipeline in pipelines.items()}
    written = {path: description.to_json() for path, description in descriptions.items()}
    for path, pipeline in pipelines.items():
        files[f"dags/{pipeline.dag.name}.py"] = render_dag(pipeline, path, surroundings).encode()
        if len(written[path]) <= MAX_BYTES:
            files[resolved_path(pipeline.dag.name)] = written[path]
    used = {
        name
        for pipeline in pipelines.values()
        for task in pipeline.task_ids.values()
        for name in modules_of(task, pipeline)
    }
    files |= _operators(folder, used, catalog)
    files |= {f"runtime/{path.name}": path.read_bytes() for path in RUNTIME.glob("*.py")}
    everywhere = [each for one in descriptions.values() for each in (one, *one.environments.values())]
    models = {name for pipeline in pipelines.values() for name in pipeline.models}
    manifest = Manifest(
        project=project,
        pipelines={
            pipeline.dag.name: PipelineEntry(path=path, source=_source(_read(folder, path), pipeline, written[path]))
            for path, pipeline in sorted(pipelines.items())
        },
        models={name: pins[name] for name in sorted(models) if name in pins},
        requires=requires_of(everywhere),
    )
    return RenderedProject(dict(sorted(files.items())), manifest)


def _source(content: bytes, pipeline: Pipeline, description: bytes) -> str:
    """The digest of the pipeline's file; where templates or defaults give values, of what they make of it too."""
    return hashlib.sha256(content + (b"\0" + description if pipeline.origins else b"")).hexdigest()


def _operators(folder: Path, used: Iterable[str], catalog: Catalog) -> dict[str, bytes]:
    """The standard operators that are used, with what they import of each other; and all own ones if one is used."""
    own = {name for name in used if name in catalog.operators and catalog.operators[name].own}
    waiting = sorted(set(used) - own)
    names = ["__init__"]
    while waiting:
        name = waiting.pop()
        if name not in names:
            names.append(name)
            waiting += _siblings((STANDARD / f"{name}.py").read_bytes())
    files = {f"operators/{name}.py": (STANDARD / f"{name}.py").read_bytes() for name in names}
    if own:
        paths = [f"operators/{path.name}" for path in (folder / "operators").glob("*.py")]
        files |= {path: _read(folder, path) for path in paths if path != "operators/__init__.py"}
    return files


def _siblings(source: bytes) -> list[str]:
    """The modules of the same folder that a module imports: `from .other import thing`."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom) and node.level == 1]
    return [node.module for node in nodes if node.module]


def _text(folder: Path, path: str) -> str:
    try:
        return _read(folder, path).decode("utf-8")
    except UnicodeDecodeError:
        raise WindlassError(f"{path}: the file is not UTF-8 text") from None


def _read(folder: Path, path: str) -> bytes:
    content = read_inside(folder, path)
    if isinstance(content, str):
        raise WindlassError(f"{path}: {content}")
    return content
