"""The files of a project that take part in tests and training; links that lead out of the project are refused."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from windlass.spec.errors import WindlassError
from windlass.spec.files import why_outside

CHUNK = 1024 * 1024
_IGNORED = {"__pycache__", "node_modules"}


def find_files(project: Path, path: str, where: str) -> list[str]:
    """`path` itself, or all files below it when it is a folder, sorted; `where` names the key that asks for it.

    Hidden files, __pycache__ and virtual environments are left out.
    """
    _require_inside(project, path, where)
    if (project / path).is_file():
        return [path]
    found = sorted(_walk(project, path.rstrip("/")))
    if not found:
        raise WindlassError(f"{where}: the folder {path!r} holds no files")
    for each in found:
        _require_inside(project, each, where)
        if (project / each).is_dir():
            raise WindlassError(f"{where}: {each!r} is a link to a folder; put the folder itself here")
    return found


def all_files(project: Path) -> list[str]:
    """All files of the project, sorted, without hidden ones, __pycache__ and virtual environments."""
    found = (path for path in _walk(project, "") if why_outside(project, path) is None)
    return sorted(path for path in found if (project / path).is_file())


def copy_files(project: Path, paths: Iterable[str], folder: Path) -> None:
    """Copies files to the same places below `folder`; links become what they point to."""
    for path in paths:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project / path, target)


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _require_inside(project: Path, path: str, where: str) -> None:
    reason = why_outside(project, path)
    if reason:
        raise WindlassError(f"{where}: {path!r}: {reason}")


def _walk(project: Path, below: str) -> Iterator[str]:
    for folder, folders, files in os.walk(project / below):
        here = Path(folder)
        folders[:] = [name for name in folders if _counts(name) and not (here / name / "pyvenv.cfg").exists()]
        relative = here.relative_to(project)
        links = [name for name in folders if (here / name).is_symlink()]  # these are not walked through
        yield from ((relative / name).as_posix() for name in (*files, *links) if _counts(name))


def _counts(name: str) -> bool:
    return not name.startswith(".") and name not in _IGNORED and not name.endswith(".pyc")
