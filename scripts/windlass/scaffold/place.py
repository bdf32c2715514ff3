"""Brings files into a folder: whole or not at all, and never over a file that is there."""

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from windlass.spec.errors import WindlassError

_NO_CONTENT = frozenset({".git"})
"""What an empty repository has: a fresh clone is as good as an empty folder."""


def place(files: Mapping[str, str], folder: Path, *, beside: bool = False) -> list[str]:
    """Writes the files below `folder`, and returns those that were there before and stay as they are.

    With `beside` the folder may hold something. After a failure or an interruption nothing of the files is left.
    """
    try:
        return _place(files, folder, beside=beside)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise WindlassError(f"{str(folder)!r} cannot be made: {why}; give another --path") from error


def _place(files: Mapping[str, str], folder: Path, *, beside: bool) -> list[str]:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise WindlassError(f"{str(folder)!r} is not a folder; give another --path")
    there = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if not beside and set(there) - _NO_CONTENT:
        named = ", ".join(there[:5]) + (", ..." if len(there) > 5 else "")
        raise WindlassError(
            f"{str(folder)!r} is not empty: it holds {named}; give another --path, or --force to add what is missing"
        )
    kept = [path for path in files if os.path.lexists(folder / path)]
    _refuse_what_leads_away(files, folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _written({path: text for path, text in files.items() if path not in kept}, folder) as aside:
        if folder.exists():
            _link_all(aside, folder)
        else:
            aside.rename(folder)
    return kept


def _refuse_what_leads_away(files: Mapping[str, str], folder: Path) -> None:
    """A link among the folders, or a file in the place of one, would put files where nobody expects them."""
    for path in files:
        for parent in list(Path(path).parents)[:-1]:
            found = folder / parent
            if os.path.lexists(found) and (found.is_symlink() or not found.is_dir()):
                raise WindlassError(f"{str(found)!r} is not a folder of its own; move it away or give another --path")


@contextmanager
def _written(files: Mapping[str, str], folder: Path) -> Iterator[Path]:
    """A folder beside the wanted one with all files, which is gone afterwards."""
    room = folder.parent / f".{folder.name}-{secrets.token_hex(8)}"
    try:
        aside = room / "new"
        aside.mkdir(parents=True)
        for path, text in files.items():
            target = aside / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="\n")
        yield aside
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _link_all(aside: Path, folder: Path) -> None:
    """Links each file into a folder that is there; a link, unlike a rename, never replaces a file."""
    made: list[Path] = []
    try:
        for source in sorted(aside.rglob("*")):
            target = folder / source.relative_to(aside)
            if source.is_dir() and target.is_dir():
                continue
            made.append(target)  # noted before: an interruption may come between the two
            if source.is_dir():
                target.mkdir()
            else:
                target.hardlink_to(source)
    except FileExistsError as error:
        made.pop()
        _undo(made, aside, folder)
        raise WindlassError(f"{str(folder)!r} was changed meanwhile; run the command again") from error
    except BaseException:
        _undo(made, aside, folder)
        raise


def _undo(made: list[Path], aside: Path, folder: Path) -> None:
    """Removes what was linked; what somebody else put in its place meanwhile stays."""
    for target in reversed(made):
        source = aside / target.relative_to(folder)
        if target.is_dir() and not target.is_symlink():
            if not any(target.iterdir()):
                target.rmdir()
        elif target.exists() and target.samefile(source):
            target.unlink()
