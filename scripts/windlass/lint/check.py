"""Checks a whole project in one pass: every file is parsed, every rule is asked, every problem is reported."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from types import MappingProxyType

from windlass.catalog.operator import Catalog
from windlass.catalog.read import read_catalog
from windlass.lint.fold import folded
from windlass.lint.ignore import Known, without_ignored
from windlass.lint.project import ModelFile, PipelineFile, Project
from windlass.lint.reading import READING
from windlass.lint.rules import IGNORABLE, NEEDS_ENVIRONMENTS, RULES
from windlass.lint.secrets import without_secrets
from windlass.lint.unused_template import problems_of_unused, unused_templates
from windlass.spec.case_file import CaseFile, find_cases
from windlass.spec.codeowners import OWNERS_FILE, CodeOwners, parse_owners
from windlass.spec.document import Document, parse_document
from windlass.spec.environment import Environment, read_environment
from windlass.spec.files import NO_SUCH_FILE, parse_file, read_inside
from windlass.spec.model import Model, salvage_model
from windlass.spec.pipeline import Pipeline, salvage_pipeline
from windlass.spec.problem import Problem
from windlass.spec.roles import ROLES_FILE, Roles, read_roles
from windlass.spec.shelf import Shelf

_MAX_PER_RULE = 250
_MAX_MESSAGE = 500
_ASTRAY = (
    "only files in pipelines/ itself are read, so that one listing shows the name of every DAG; move this one there, "
    "or out of pipelines/ if it is none"
)
_NOT_NOUNS = {("environments", "roles"), ("pipelines", "defaults")}


@dataclass(frozen=True)
class Report:
    """What lint found. `pipelines` (by path) and `models` (by name) are those without problems of form.

    `texts` is what each file says, as far as it could be read.
    """

    problems: list[Problem]
    pipelines: dict[str, Pipeline]
    models: dict[str, Model]
    catalog: Catalog
    files: list[str]
    texts: Mapping[str, str] = field(default_factory=dict)
    shelf: Shelf | None = None
    cases: list[CaseFile] = field(default_factory=list)


def check_project(
    folder: Path,
    environments: Mapping[str, Environment] | None,
    extra: Sequence[str] = (),
    changed: Mapping[str, bytes] = MappingProxyType({}),
    platform: Path | None = None,
) -> Report:
    """The problems of the project in `folder`, sorted.

    Flavors and images are checked against `environments`, or against the project's own where that is None.
    `extra` are pipeline files (paths below the folder) outside `pipelines/`; `changed` are files to be taken as if
    they held this. Templates and defaults are the project's, and those of the repository in `platform`.
    """
    shelf = Shelf(folder, platform, changed)
    paths = (*_files(folder), *(path for path in dict.fromkeys(extra) if path not in shelf.documents))
    documents = {
        path: parse_document(path, changed[path]) if path in changed else parse_file(folder, path) for path in paths
    }
    astray = {path: Document(path, problems=[Problem(path, 1, 1, "known-name", _ASTRAY)]) for path in _below(folder)}
    pipelines, models = [], []
    environment_documents: dict[str, Document] = {}
    for path, document in documents.items():
        if path.startswith("models/"):
            models.append(ModelFile(document, salvage_model(document)))
        elif path.startswith("environments/"):
            environment_documents[Path(path).stem] = document
        else:
            whole = shelf.assembled(document)
            pipelines.append(PipelineFile(whole or document, salvage_pipeline(whole) if whole else None))
    cases = find_cases(folder)
    documents |= {**shelf.documents, **astray, **{case.document.path: case.document for case in cases if case.has_file}}
    own = _read_environments(environment_documents)
    roles, owners = _roles(folder, documents, changed), _owners(folder, documents, changed)
    unused = unused_templates(shelf, pipelines)
    bodies = (*pipelines, *(one.file for one in unused))
    wanted = {*shelf.operators, *(name for file in bodies for name in _operator_types(file))}
    project = Project(
        folder=folder,
        pipelines=pipelines,
        models=models,
        environment_documents=environment_documents,
        environments=environments if environments is not None else own or None,
        own_environments=own,
        roles=roles,
        owners=owners,
        catalog=read_catalog(folder, wanted) if wanted else Catalog(),
        shelf=shelf,
        cases=cases,
    )
    shelf.check_operators(project.catalog.names)
    return Report(
        problems=_problems(project, documents.values(), problems_of_unused(project, unused)),
        pipelines={f.document.path: f.pipeline for f in pipelines if f.pipeline and not f.document.problems},
        models={f.name: f.model for f in models if f.model and not f.document.problems},
        catalog=project.catalog,
        files=sorted(one.path for path, one in documents.items() if path not in shelf.documents or path in shelf.own),
        shelf=shelf,
        cases=cases,
        texts={document.path: document.text for document in documents.values()},
    )


def check_environments(documents: Mapping[str, Document]) -> tuple[list[Problem], dict[str, Environment]]:
    """The problems of a folder of environments, by stem, sorted; and the environments that have none."""
    environments = _read_environments(documents)
    project = Project(Path(), environment_documents=documents, own_environments=environments)
    return _problems(project, documents.values()), environments


def _problems(project: Project, documents: Iterable[Document], more: Iterable[Problem] = ()) -> list[Problem]:
    """All problems, sorted, without those that a comment takes back."""
    documents = list(documents)
    found = [*(problem for document in documents for problem in document.problems), *more]
    asked = {rule.NAME for rule in RULES if project.environments is not None or rule.NAME not in NEEDS_ENVIRONMENTS}
    shared = project.shelf.documents if project.shelf else ()
    known = Known({*READING, *(rule.NAME for rule in RULES)}, IGNORABLE, asked, shared)
    left, wrong = without_ignored((*found, *_ask(project)), documents, known)
    return sorted({_clipped(problem) for problem in folded((*left, *wrong))})


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
        yield from sorted(f"{kind}/{path.name}" for path in paths if (kind, path.stem) not in _NOT_NOUNS)


def _below(folder: Path) -> list[str]:
    """Files in folders of `pipelines/`, where nobody looks for them."""
    top = folder / "pipelines"
    walked = os.walk(top) if not top.is_symlink() else ()  # links to folders are not followed
    found = [Path(where, name) for where, _, names in walked for name in names if Path(where) != top]
    return sorted(str(path.relative_to(folder)) for path in found if path.suffix in (".yml", ".yaml"))[:_MAX_PER_RULE]


def _read_environments(documents: Mapping[str, Document]) -> dict[str, Environment]:
    found = {name: read_environment(name, documents) for name in documents if name != "base"}
    return {name: environment for name, environment in found.items() if environment is not None}


def _roles(folder: Path, documents: dict[str, Document], changed: Mapping[str, bytes]) -> Roles | None:
    """The roles of the folder's environments, none without a file; None where they cannot be understood."""
    content = changed.get(ROLES_FILE) or read_inside(folder, ROLES_FILE)
    if content == NO_SUCH_FILE:
        return {}
    documents[ROLES_FILE] = (
        parse_document(ROLES_FILE, content) if isinstance(content, bytes) else parse_file(folder, ROLES_FILE)
    )
    return read_roles(documents[ROLES_FILE])


def _owners(folder: Path, documents: dict[str, Document], changed: Mapping[str, bytes]) -> CodeOwners:
    """Who owns which paths; what is wrong with the file is in its document."""
    content = changed.get(OWNERS_FILE) or read_inside(folder, OWNERS_FILE)
    if isinstance(content, str):
        if content != NO_SUCH_FILE:
            documents[OWNERS_FILE] = parse_file(folder, OWNERS_FILE)
        return CodeOwners()
    owners, documents[OWNERS_FILE] = parse_owners(OWNERS_FILE, content)
    return owners


def _operator_types(file: PipelineFile) -> Iterable[str]:
    for task in file.written_ids.values():
        name = task.get("operator_type") if isinstance(task, dict) else None
        if isinstance(name, str):
            yield name


def _clipped(problem: Problem) -> Problem:
    """The problem in one line of a length that a person reads, without a secret that it might quote."""
    message = without_secrets(" ".join(problem.message.split()))
    if len(message) > _MAX_MESSAGE:
        message = message[:_MAX_MESSAGE] + "..."
    return problem if message == problem.message else replace(problem, message=message)
