"""Reads a project's files safely: regular files inside the project and of a size that a person would write."""

import stat
from pathlib import Path

from windlass.spec.document import MAX_BYTES, Document, parse_document
from windlass.spec.problem import Problem

NO_SUCH_FILE = "there is no such file"


def read_inside(root: Path, path: str) -> bytes | str:
    """The content of `path` below `root`, or the sentence that says why it is not read.

    Of a file that is too large, one byte more than allowed is returned, for `parse_document` to refuse.
    """
    reason = why_outside(root, path)
    if reason:
        return reason
    try:
        with (root / path).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        return f"the file cannot be read: {(error.strerror or 'unknown reason').lower()}"


def printable(path: str) -> str:
    """The path in one line, whatever is in it."""
    return path if path.isprintable() else repr(path)[1:-1]


def parse_file(root: Path, path: str) -> Document:
    """The document in the file `path` below `root`; a file that cannot be read is a problem of it."""
    shown = printable(path)
    content = read_inside(root, path)
    if isinstance(content, str):
        return Document(shown, problems=[Problem(shown, 1, 1, "syntax", content)])
    return parse_document(shown, content)


def why_outside(root: Path, path: str) -> str | None:
    """Why `path` is not a regular file or folder inside `root`; None when it is one."""
    try:
        real = (root / path).resolve(strict=True)
        mode = real.stat().st_mode
    except (OSError, ValueError, RuntimeError):
        return NO_SUCH_FILE
    if not real.is_relative_to(root.resolve()):
        return "the file is a link that leads out of the project; put the file itself here"
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        return "this is not a regular file"
    return None
