"""Finds and reads the contract tests of a project: the folders `tests/jobs/<pipeline>/<task>/<case>/`."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from windlass.spec.case import FILE, FOLDER, Case
from windlass.spec.document import Document, Location
from windlass.spec.files import parse_file, printable
from windlass.spec.problem import Problem
from windlass.spec.salvage import salvage_noun

INPUTS, EXPECTED = "inputs", "expected"


@dataclass(frozen=True)
class CaseFile:
    """One case: its place below `tests/jobs`, and its `case.yml` as far as it could be understood.

    `given` maps each port to the path, below the case's folder, of its file or folder in `inputs/`; `expected` are the
    names of the files in `expected/`.
    """

    pipeline: str
    task: str
    name: str
    document: Document
    case: Case
    given: dict[str, list[str]]
    expected: list[str]

    @property
    def path(self) -> str:
        """The case's folder in the project."""
        return f"{FOLDER}/{self.pipeline}/{self.task}/{self.name}"

    @property
    def has_file(self) -> bool:
        """Whether the case has a `case.yml`."""
        return self.document.path != printable(self.path)

    def problem(self, location: Location, rule: str, message: str, *, at_key: bool = False) -> Problem:
        """A problem of the case; where it has no `case.yml`, at its folder."""
        return self.document.problem(location, rule, message, at_key=at_key)


def find_cases(folder: Path) -> list[CaseFile]:
    """All cases of the project in `folder`, sorted; what is wrong with the form of one is in its document."""
    return [_read(folder, path) for path in _folders(folder / FOLDER, 3)]


def resolve_task(written: str, ids: Collection[str]) -> list[str]:
    """The tasks that `written` may mean: the one of this whole name, else those whose last word it is."""
    if written in ids:
        return [written]
    return [task_id for task_id in ids if task_id.rpartition(".")[2] == written]


def _read(folder: Path, where: Path) -> CaseFile:
    pipeline, task, name = where.relative_to(folder / FOLDER).parts
    shown = where.relative_to(folder).as_posix()
    if (where / FILE).exists() or (where / FILE).is_symlink():
        document = parse_file(folder, f"{shown}/{FILE}")
        case = salvage_noun(document, Case) if document.value is not None or document.problems else None
    else:
        document, case = Document(printable(shown)), None
    given: dict[str, list[str]] = {}
    for path in _listed(where / INPUTS):
        given.setdefault(path.name.partition(".")[0], []).append(f"{INPUTS}/{path.name}")
    expected = [path.name for path in _listed(where / EXPECTED)]
    return CaseFile(pipeline, task, name, document, case or Case(), given, expected)


def _listed(folder: Path) -> list[Path]:
    """What is in a folder, hidden files left out, sorted; nothing where it is a link or not there."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _folders(top: Path, depth: int) -> Iterator[Path]:
    """The folders `depth` levels below `top`."""
    for path in _listed(top):
        if path.is_dir() and not path.is_symlink() and path.name != "__pycache__":
            yield from _folders(path, depth - 1) if depth > 1 else [path]
