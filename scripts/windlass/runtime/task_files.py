"""The files of one task while it runs: its inputs fetched to a local folder, its outputs kept for the next tasks."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .output_checks import StoredFile, check_output, check_path
from .settings import Settings, read_settings
from .storage import Storage
from .transfer import fetch_input, reference, references, transfer_folder


@dataclass(frozen=True)
class TaskFiles:
    """Where a running task finds its inputs and leaves its outputs; `folder` is its own and gone afterwards."""

    folder: Path
    settings: Settings
    storage: Storage
    _task: Any
    _instance: Any

    def fetch(self, port: str) -> Path:
        """The local file of an input."""
        path = fetch_input(self.storage, self.settings, port, self._task.inputs[port], self.folder / "inputs" / port)
        self._task.log.info("fetched input %s: %s", port, path.name)
        return path

    def fetch_each(self, port: str) -> Iterator[Path]:
        """The local files of an input that is a list, one at a time: each is gone when the next one is asked for."""
        for number, file in enumerate(references(port, self._task.inputs[port])):
            path = self.folder / "inputs" / port / str(number) / str(file["name"])
            self.storage.fetch(self.settings.data, str(file["key"]), path, str(file["sha256"]))
            yield path
            path.unlink()

    def reference(self, port: str) -> Any:
        """What the task before left for an input, without fetching it: its `key`, `sha256`, `size` and `name`."""
        return reference(port, self._task.inputs[port])

    def output(self, port: str) -> Path:
        """Where the task may write an output before it is kept."""
        path = self.folder / "outputs" / port / str(self._task.outputs[port])
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def key(self, name: str) -> str:
        """Where in the data bucket the task leaves a file of this name."""
        return f"{transfer_folder(self.settings, self._instance)}/{name}"

    def pass_on(self, port: str, value: Any) -> None:
        """Passes on a reference, or a list of them, of what is in the data bucket already, when it is checked."""
        listed = value if isinstance(value, list) else [value]
        sources = [StoredFile(self.storage, self.settings.data, each) for each in listed]
        self._log_checked(port, check_output(port, self._task.outputs.get(port, ""), sources, self.folder))
        self._instance.xcom_push(key=port, value=value)

    def keep(self, port: str) -> None:
        """Passes on what was written to `output(port)`."""
        path = self.output(port)
        self._log_checked(port, check_path(port, self._task.outputs[port], path, self.folder))
        kept = self._keep(path)
        self._task.log.info(
            "kept output %s: s3://%s/%s (%s bytes)", port, self.settings.data, kept["key"], kept["size"]
        )
        self._instance.xcom_push(key=port, value=kept)

    def keep_each(self, port: str, paths: Iterable[Path]) -> list[dict[str, Any]]:
        """Passes on a list of files, each removed here when it is kept; the list of their references."""
        kept = []
        for path in paths:
            kept.append(self._keep(path))
            path.unlink()
        self._task.log.info("kept output %s: %s files", port, len(kept))
        self.pass_on(port, kept)
        return kept

    def _log_checked(self, port: str, rows: int | None) -> None:
        if rows is not None:
            self._task.log.info("output %s: %s rows are as they must be", port, rows)

    def _keep(self, path: Path) -> dict[str, Any]:
        return self.storage.keep(self.settings.data, self.key(path.name), path)


@contextmanager
def task_files(task: Any, context: Any) -> Iterator[TaskFiles]:
    """The files of `task`, an operator with `inputs` and `outputs`, in the run that `context` tells of."""
    settings = read_settings()
    with tempfile.TemporaryDirectory(prefix="windlass-") as folder:
        yield TaskFiles(Path(folder), settings, Storage(settings.endpoint), task, context["ti"])
