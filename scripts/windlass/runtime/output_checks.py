"""Checks the rows of an output where it is produced: block by block, vectorised where pyarrow is there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .blocks import blocks_of
from .checked import Checked
from .checks import Checks, RowCheck
from .errors import RuntimeStop
from .local_parts import LocalFile
from .splitting import Source
from .values import Column


@dataclass(frozen=True)
class StoredFile:
    """A file in the data bucket, as a source: what is read must have the SHA-256 of its reference."""

    storage: Any
    bucket: str
    reference: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The file's name."""
        return str(self.reference["name"])

    @property
    def size(self) -> int:
        """In bytes."""
        return int(self.reference["size"])

    def open(self) -> Any:
        """The file's bytes."""
        return self.storage.reader(self.bucket, str(self.reference["key"]), str(self.reference["sha256"]))


def check_output(port: str, name: str, sources: Iterable[Source], folder: Path) -> int | None:
    """The number of rows in an output, a file or a list of files; RuntimeStop names the first row that breaks a rule.

    None where nothing was said about it: `name` is then no `Checked`. `folder` takes what memory does not.
    """
    if not isinstance(name, Checked):
        return None
    output = f"output {port!r} ({name})"
    try:
        checks = checks_of(name)
        with RowCheck(checks, folder) as check:
            for source in sources:
                output = f"output {port!r} ({source.name})"
                for block in blocks_of(source, check, folder):
                    if not block.is_surely_good(check):
                        block.check_each(check)
            return check.end()
    except RuntimeStop as stop:
        between = ", " if str(stop).startswith("row ") else ": "
        raise RuntimeStop(f"{output}{between}{stop}") from stop


def check_path(port: str, name: str, path: Path, folder: Path) -> int | None:
    """The same for a file of this machine."""
    return check_output(port, name, [LocalFile(path)], folder)


def check_kept(task: Any, storage: Any, bucket: str, kept: Mapping[str, Any], folder: Path) -> None:
    """The same for each output of `task` that was kept by others, before it is passed on."""
    for port, name in task.outputs.items():
        found = kept[port] if isinstance(kept[port], list) else [kept[port]]
        rows = check_output(port, name, [StoredFile(storage, bucket, each) for each in found], folder)
        if rows is not None:
            task.log.info("output %s: %s rows are as they must be", port, rows)


def checks_of(checked: Checked) -> Checks:
    """What to check, of what a person wrote."""
    try:
        columns = {
            name: Column(said) if isinstance(said, str) else Column(**said)
            for name, said in (checked.columns or {}).items()
        }
        said_of_rows: Mapping[str, Any] = checked.rows or {}
        rows = Column("integer", **said_of_rows) if said_of_rows else None
    except (TypeError, ValueError) as error:
        raise RuntimeStop(f"its checks cannot be understood: {error}") from error
    return Checks(rows, None, columns, tuple(checked.unique or ()), checked.extra_columns != "refuse")
