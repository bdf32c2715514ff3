"""What rules look at: a project's files, parsed as far as they can be understood."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from windlass.catalog.operator import Catalog
from windlass.spec.document import Document, Location
from windlass.spec.environment import Environment
from windlass.spec.model import Model
from windlass.spec.pipeline import Pipeline, Task


@dataclass(frozen=True)
class PipelineFile:
    """One pipeline; `pipeline` lacks the parts that could not be understood and is None when nothing could."""

    document: Document
    pipeline: Pipeline | None

    @property
    def name(self) -> str:
        """The file's name without its ending: what the DAG must be called."""
        return PurePosixPath(self.document.path).stem

    @property
    def written_tasks(self) -> dict[str, dict[str, Any]]:
        """Each group's tasks as they were written, those included that could not be understood."""
        tasks = self.document.value.get("tasks") if isinstance(self.document.value, dict) else None
        groups = tasks.items() if isinstance(tasks, dict) else ()
        return {group: items if isinstance(items, dict) else {} for group, items in groups}

    @property
    def written_ids(self) -> dict[str, Any]:
        """Each task as it was written, by its id `group.task`."""
        return {f"{group}.{name}": task for group, tasks in self.written_tasks.items() for name, task in tasks.items()}

    def tasks(self) -> Iterator[tuple[str, Location, Task]]:
        """Each task that could be understood: its id, its place and itself."""
        for group, tasks in (self.pipeline.tasks if self.pipeline else {}).items():
            for name, task in tasks.items():
                yield f"{group}.{name}", ("tasks", group, name), task


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
    catalog: Catalog = field(default_factory=Catalog)

    def tasks(self) -> Iterator[tuple[PipelineFile, str, Location, Task]]:
        """Each task of each pipeline, with the file that it is in."""
        for file in self.pipelines:
            for task_id, location, task in file.tasks():
                yield file, task_id, location, task
