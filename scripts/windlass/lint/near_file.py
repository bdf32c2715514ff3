"""The file that somebody may have meant who named one that is not there."""

from pathlib import Path, PurePosixPath

from windlass.spec.files import NO_SUCH_FILE, why_outside
from windlass.spec.problem import near_match

_MAX_NAMES = 2000
"""As many files of a folder are compared."""


def with_near_file(reason: str, root: Path, path: str) -> str:
    """`reason` why `path` is not read; where there is no such file, with the one beside it that has nearly its name."""
    folder = str(PurePosixPath(path).parent)
    if reason != NO_SUCH_FILE or (folder != "." and why_outside(root, folder)):
        return reason
    try:
        names = sorted(entry.name for entry in (root / folder).iterdir())[:_MAX_NAMES]
    except OSError:
        return reason
    meant = near_match(PurePosixPath(path).name, names)
    return f"{reason}; did you mean {str(PurePosixPath(folder, meant))!r}?" if meant else reason
