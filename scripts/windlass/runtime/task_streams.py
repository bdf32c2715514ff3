"""The parts of a task's files, from S3 to S3: streamed, so that the worker's disk and memory hold little of them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .csv_dialect import Dialect
from .csv_text import Cut
from .errors import RuntimeStop
from .local_parts import LocalFile
from .merging import merge
from .output_checks import StoredFile
from .splitting import Source, split
from .task_files import TaskFiles
from .transfer import reference, references


def most_parts() -> int:
    """How many parts Airflow maps a task over at most."""
    from .of_airflow import conf

    return int(conf.getint("core", "max_map_length", fallback=1024))


def split_input(files: TaskFiles, data: Any, name: str, cut: Cut, dialect: Dialect, most: int) -> list[dict[str, Any]]:
    """Cuts the input `data` into at most so many files like `name`, the output `parts`; their references."""
    kept: list[dict[str, Any]] = []

    @contextmanager
    def create(name: str) -> Iterator[Any]:
        with files.storage.writer(files.settings.data, files.key(name)) as out:
            yield out
        kept.append(_reference(files, name, out))

    with _of_input("data"):
        split(_source(files, "data", reference("data", data)), cut, name, create, dialect, most)
    files.pass_on("parts", kept)
    return kept


def merge_input(files: TaskFiles, parts: Any, name: str, dialect: Dialect) -> None:
    """Puts the files of the input `parts` together: the file `name`, the output `data`."""
    out = files.storage.writer(files.settings.data, files.key(name))
    with _of_input("parts"):
        merge((_source(files, "parts", each) for each in references("parts", parts)), out, name, dialect)
    files.pass_on("data", _reference(files, name, out))


def _reference(files: TaskFiles, name: str, out: Any) -> dict[str, Any]:
    return {"key": files.key(name), "sha256": out.sha256, "size": out.size, "name": str(name)}


@contextmanager
def _of_input(port: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:  # a file's ending is known only now
        raise RuntimeStop(f"input {port!r}: {error}") from error


def _source(files: TaskFiles, port: str, file: Mapping[str, Any]) -> Source:
    """The object itself; Parquet begins to be read at its end, so such a file is fetched first."""
    name = str(file["name"])
    if not name.endswith(".parquet"):
        return StoredFile(files.storage, files.settings.data, file)
    path = files.folder / "inputs" / port / str(file["sha256"]) / name
    files.storage.fetch(files.settings.data, str(file["key"]), path, str(file["sha256"]))
    return LocalFile(path)
