"""The models of contract tests: the repository's own code beside trained files, which a case brings or has trained."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock

from windlass.runtime.errors import RuntimeStop
from windlass.runtime.job import Job, JobFiles, run_job
from windlass.spec.model import Model

CopyCode = Callable[[Model, Path], None]
"""Copies the files that a model's training needs into a folder."""


@dataclass(frozen=True)
class CaseModel:
    """A model as a case gives it: a folder with trained files, or the files of the data that it is trained from."""

    name: str
    model: Model
    given: Path | Mapping[str, Path]


class CaseModels:
    """Makes the folders of models; one that several cases want from the same data is trained once, below `folder`."""

    def __init__(self, project: Path, folder: Path, copy_code: CopyCode, stop: int | None = None) -> None:
        self._project, self._folder, self._copy_code, self._stop = project, folder, copy_code, stop
        self._lock = Lock()
        self._locks: dict[str, Lock] = {}
        self._trained: dict[str, Path | RuntimeStop] = {}

    def fill(self, wanted: CaseModel, folder: Path, log: Callable[[str], None]) -> Path:
        """`folder` with the model's files: the trained ones, and those of `files` as they are in the repository now."""
        source = wanted.given if isinstance(wanted.given, Path) else self._train(wanted, wanted.given, log)
        folder.mkdir(parents=True)
        if source.is_file():
            shutil.copy(source, folder)
        else:
            shutil.copytree(source, folder, dirs_exist_ok=True)
        for path in wanted.model.files:
            shutil.copy(self._project / path, folder / Path(path).name)
        return folder

    def _train(self, wanted: CaseModel, data: Mapping[str, Path], log: Callable[[str], None]) -> Path:
        where = sha256(
            repr((wanted.name, sorted((name, str(path)) for name, path in data.items()))).encode()
        ).hexdigest()
        with self._lock:
            lock = self._locks.setdefault(where, Lock())
        with lock:
            if where not in self._trained:
                try:
                    self._trained[where] = self._run(wanted.model, data, self._folder / where[:16], log)
                except RuntimeStop as stop:
                    self._trained[where] = RuntimeStop(f"model {wanted.name!r} cannot be trained for the case: {stop}")
            found = self._trained[where]
        if isinstance(found, RuntimeStop):
            raise found
        return found

    def _run(self, model: Model, data: Mapping[str, Path], folder: Path, log: Callable[[str], None]) -> Path:
        self._copy_code(model, folder / "work")
        trained = folder / "trained"
        trained.mkdir(parents=True)

        def keep(port: str, path: Path) -> None:
            if port != "metrics":
                path.replace(trained / path.name)

        job = Job(
            model.train.execution_script,
            model.train.execution_time,
            tuple(sorted(data)),
            model.outputs,
            model.parameters,
        )
        run_job(job, folder, JobFiles(lambda port, _: data[port], keep), log, stop=self._stop)
        return trained
