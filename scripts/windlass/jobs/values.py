"""What a port holds outside of Airflow: a file, a list of files or the folder of a model; and how a job gets it."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from windlass.runtime.arrival import check_arrived
from windlass.runtime.errors import RuntimeStop

Value = Path | list[Path]
"""A list is the files of a mapped task or of `split_csv`, in their order; a folder is a model."""


def fetcher(values: Mapping[str, Value], names: Mapping[str, str]) -> Callable[[str, Path], Path]:
    """How a job gets its inputs: copies, so that it can do with them what it likes.

    `names` are the file names that ports have in Airflow, where it is another than that of the file given.
    """

    def fetch(port: str, folder: Path) -> Path:
        value = values[port]
        if isinstance(value, list):
            folder.mkdir(parents=True, exist_ok=True)
            for number, path in enumerate(value):
                check_arrived(port, _copy(path, folder / f"{number:06d}-{path.name}"))
            return folder
        if value.is_dir():
            shutil.copytree(value, folder)
            return folder
        check_arrived(port, path := _copy(value, folder / names.get(port, value.name)))
        return path

    return fetch


def _copy(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise RuntimeStop(f"{source}: {(error.strerror or str(error)).lower()}") from error
    return target
