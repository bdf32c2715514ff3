"""The name of an output's file, with what must be true of its rows before it is passed on."""

from collections.abc import Mapping, Sequence
from typing import Any


class Checked(str):
    """A file name for `outputs`; the file is checked where it is produced, and not passed on if a row breaks a rule.

    `rows` is `{"at_least": 1}`, `at_most` or both; `columns` is by name a type (`"integer"`) or `{"type": ..., "nulls":
    False, "at_least": ..., "at_most": ..., "one_of": [...], "matches": "..."}`; `unique` are columns that together are
    different in every row; `extra_columns` is `"refuse"` where there must be no others than those in `columns`.

    >>> {"scores": Checked("scores.csv", rows={"at_least": 1}, columns={"id": "integer"})}
    {'scores': 'scores.csv'}
    """

    rows: Mapping[str, int] | None = None
    columns: Mapping[str, str | Mapping[str, Any]] | None = None
    unique: Sequence[str] | None = None
    extra_columns: str | None = None

    def __new__(cls, file: str, **checks: Any) -> "Checked":
        """`file` itself, to everybody who does not ask for more."""
        made = super().__new__(cls, file)
        unknown = sorted(checks.keys() - {"rows", "columns", "unique", "extra_columns"})
        if unknown:
            raise ValueError(f"output {file!r}: there is no check {unknown[0]!r}")
        vars(made).update(checks)
        return made


def checked_names(filenames: Mapping[str, str], checks: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The names of a task's output files by port, with what must be true of those of which something is said."""
    return {port: Checked(name, **checks[port]) if checks.get(port) else name for port, name in filenames.items()}
