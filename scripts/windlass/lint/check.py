"""Checks a whole project in one pass: every file is parsed, every rule is asked, every problem is reported."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from windlass.catalog.operator import Catalog
from windlass.catalog.read import read_catalog
from windlass.lint.project import ModelFile, PipelineFile, Project
from windlass.lint.rules import RULES
from windlass.spec.document import Document
from windlass.spec.environment import Environment, read_environment
from windlass.spec.files import parse_file
from windlass.spec.model import Model, salvage_model
from windlass.spec.pipeline import Pipeline, salvage_pipeline
from windlass.spec.problem import Problem

_MAX_PER_RULE = 250
_MAX_MESSAGE = 500


@dataclass(frozen=True)
class Report:
    """What lint found. `pipelines` (by path) and `models` (by name) are those without problems of form."""

    problems: list[Problem]
    pipelines: dict[str, Pipeline]
    models: dict[str, Model]
    catalog: Catalog
    files: list[str]


def check_project(folder: Path, environments: Mapping[str, Environment] | None, extra: Sequence[str] = ()) -> Report:
    """The problems of the project in `folder`, sorted.

    Flavors and images are checked against `environments`, or against the project's own where that is None.
    `extra` are pipeline files (paths below the folder) outside `pipelines/`.
    """
    documents = {path: parse_file(folder, path) for path in (*_files(folder), *dict.fromkeys(extra))}
    pipelines, models = [], []
    environment_documents: dict[str, Document] = {}
    for path, document in documents.items():
        if path.startswith("models/"):
            models.append(ModelFile(document, salvage_model(document)))
        elif path.startswith("environments/"):
            environment_documents[Path(path).stem] = document
        else:
            pipelines.append(PipelineFile(document, salvage_pipeline(document)))
    own = _read_environments(environment_documents)
    wanted = {name for file in pipelines for name in _operator_types(file)}
    project = Project(
        folder=folder,
        pipelines=pipelines,
        models=models,
        environment_documents=environment_documents,
        environments=environments if environments is not None else own or None,
        catalog=read_catalog(folder, wanted) if wanted else Catalog(),
    )
    found = [problem for document in documents.values() for problem in document.problems]
    return Report(
        problems=sorted({_clipped(problem) for problem in (*found, *_ask(project))}),
        pipelines={f.document.path: f.pipeline for f in pipelines if f.pipeline and not f.document.problems},
        models={f.name: f.model for f in models if f.model and not f.document.problems},
        catalog=project.catalog,
        files=sorted(documents),
    )


def check_environments(documents: Mapping[str, Document]) -> tuple[list[Problem], dict[str, Environment]]:
    """The problems of a folder of environments, by stem, sorted; and the environments that have none."""
    environments = _read_environments(documents)
    found = {problem for document in documents.values() for problem in document.problems}
    project = Project(Path(), environment_documents=documents)
    return sorted({_clipped(problem) for problem in (*found, *_ask(project))}), environments


def _ask(project: Project) -> Iterator[Problem]:
    yield from project.catalog.problems
    for rule in RULES:
        found = list(islice(rule.check(project), _MAX_PER_RULE + 1))
        if len(found) > _MAX_PER_RULE:
            found[-1] = replace(found[-1], message="more problems of this rule follow; correct the others first")
        yield from found


def _files(folder: Path) -> Iterator[str]:
    for kind, endings in (("pipelines", ("yml", "yaml")), ("models", ("yml",)), ("environments", ("yml",))):
        paths = [path for ending in endings for path in (folder / kind).glob(f"*.{ending}")]
        yield from sorted(f"{kind}/{path.name}" for path in paths if (kind, path.stem) != ("environments", "roles"))


def _read_environments(documents: Mapping[str, Document]) -> dict[str, Environment]:
    found = {name: read_environment(name, documents) for name in documents if name != "base"}
    return {name: environment for name, environment in found.items() if environment is not None}


def _operator_types(file: PipelineFile) -> Iterable[str]:
    for task in file.written_ids.values():
        name = task.get("operator_type") if isinstance(task, dict) else None
        if isinstance(name, str):
            yield name


def _clipped(problem: Problem) -> Problem:
    """The problem in one line of a length that a person reads."""
    message = " ".join(problem.message.split())
    if len(message) > _MAX_MESSAGE:
        message = message[:_MAX_MESSAGE] + "..."
    return problem if message == problem.message else replace(problem, message=message)
