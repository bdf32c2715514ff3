"""What rules look at: a project's files, parsed as far as they can be understood."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from windlass.catalog.operator import Catalog
from windlass.spec.case_file import CaseFile
from windlass.spec.codeowners import CodeOwners
from windlass.spec.document import Document, Location
from windlass.spec.environment import Environment
from windlass.spec.group import Group, is_task
from windlass.spec.model import Model
from windlass.spec.pipeline import Pipeline
from windlass.spec.roles import Roles
from windlass.spec.shelf import Shelf
from windlass.spec.task import Task


@dataclass(frozen=True)
class PipelineFile:
    """One pipeline; `pipeline` lacks the parts that could not be understood and is None when nothing could."""

    document: Document
    pipeline: Pipeline | None

    @property
    def name(self) -> str:
        """The file's name without its ending: what the DAG must be called."""
        return PurePosixPath(self.document.path).stem

    @cached_property
    def written(self) -> dict[str, Any]:
        """Each group and task as it was written, by its name, those included that could not be understood."""
        value = self.document.value
        tasks = value.get("tasks") if isinstance(value, dict) else None
        return {name: node for name, node in _walk("", tasks) if node is not None} if isinstance(tasks, dict) else {}

    @cached_property
    def written_groups(self) -> list[str]:
        """The names of the groups."""
        return [name for name, node in self.written.items() if "." not in name or not is_task(node)]

    @cached_property
    def written_ids(self) -> dict[str, Any]:
        """Each task as it was written, by its id `group.task`."""
        return {name: node for name, node in self.written.items() if "." in name and is_task(node)}

    def tasks(self) -> Iterator[tuple[str, Location, Task]]:
        """Each task that could be understood: its id, its place and itself."""
        for task_id, task in (self.pipeline.task_ids if self.pipeline else {}).items():
            yield task_id, place(task_id), task

    def groups(self) -> Iterator[tuple[str, Location, Group]]:
        """Each group that could be understood: its name, its place and itself."""
        for name, group in (self.pipeline.tree.groups if self.pipeline else {}).items():
            yield name, place(name), group


def place(name: str) -> Location:
    """Where the task or group called `name` is written."""
    return ("tasks", *name.split("."))


def _walk(path: str, group: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, node in group.items():
        if path and name == "needs" and isinstance(node, list):
            continue
        inner = f"{path}.{name}" if path else name
        yield inner, node
        if isinstance(node, dict) and (not path or not is_task(node)):
            yield from _walk(inner, node)


@dataclass(frozen=True)
class ModelFile:
    """One model; None when it could not be understood."""

    document: Document
    model: Model | None

    @property
    def name(self) -> str:
        """The file's name without its ending: the model's name."""
        return PurePosixPath(self.document.path).stem


@dataclass(frozen=True)
class Project:
    """All files of a project. `environments` are those that jobs are checked against; None when none are known."""

    folder: Path
    pipelines: list[PipelineFile] = field(default_factory=list)
    models: list[ModelFile] = field(default_factory=list)
    environment_documents: Mapping[str, Document] = field(default_factory=dict)
    environments: Mapping[str, Environment] | None = None
    own_environments: Mapping[str, Environment] = field(default_factory=dict)
    """Those that `environment_documents` describe."""
    roles: Roles | None = None
    """Who holds which role in them; None where that is not known."""
    owners: CodeOwners = field(default_factory=CodeOwners)
    catalog: Catalog = field(default_factory=Catalog)
    shelf: Shelf | None = None
    cases: list[CaseFile] = field(default_factory=list)

    def tasks(self) -> Iterator[tuple[PipelineFile, str, Location, Task]]:
        """Each task of each pipeline, with the file that it is in."""
        for file in self.pipelines:
            for task_id, location, task in file.tasks():
                yield file, task_id, location, task
