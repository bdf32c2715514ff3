"""Checks what a job has written against what its case expects, and says everything that is otherwise."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from windlass.jobs.compare import Likeness, difference, unpacked_file
from windlass.runtime.checked import Checked
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.output_checks import check_path
from windlass.runtime.rows import read_rows
from windlass.spec.case import ExpectedOutput, Failure


@dataclass(frozen=True)
class Expectation:
    """What is expected of the file of one output; `file` is what it is compared with, if anything."""

    output: ExpectedOutput = field(default_factory=ExpectedOutput)
    file: Path | None = None


def problems_of_output(port: str, path: Path, expected: Expectation) -> list[str]:
    """What is wrong with the file that the job wrote for `port`, a sentence each; row 1 follows the header."""
    where = f"output {port!r} ({path.name})"
    reasons = []
    try:
        reasons = [_order(path, expected.output), _compared(path, expected)]
    except (RuntimeStop, ValueError) as stop:
        reasons = [str(stop)]
    found = [
        f"{where}, {reason}" if reason.startswith("row ") else f"{where}: {reason}" for reason in reasons if reason
    ]
    checks = expected.output.checks
    if checks:
        try:
            with tempfile.TemporaryDirectory(prefix="windlass-test-") as folder:
                check_path(port, Checked(path.name, **checks), path, Path(folder))
        except (RuntimeStop, ValueError) as stop:
            found.append(str(stop))
    return found


def problems_of_failure(failure: Failure, exit_code: int | None, reason: str, tail: tuple[str, ...]) -> list[str]:
    """What is wrong with how a job failed that was to fail; `reason` and `tail`, its last lines, are what it said."""
    found = []
    if failure.exit_code is not None and exit_code != failure.exit_code:
        found.append(f"expected exit code {failure.exit_code}, came: {reason}")
    if failure.error is not None and not any(failure.error in text for text in (reason, *tail)):
        last = "; ".join(map(repr, tail[-3:])) or "nothing"
        found.append(
            f"expected {failure.error!r} in the reason or the last lines, came: {reason} (printed last: {last})"
        )
    return found


def _order(path: Path, output: ExpectedOutput) -> str | None:
    if not isinstance(output.columns, list):
        return None
    with unpacked_file(path) as plain:
        columns, _ = read_rows(plain)
    return None if columns == output.columns else f"expected the columns {output.columns}, came {columns}"


def _compared(path: Path, expected: Expectation) -> str | None:
    if expected.file is None:
        return None
    if not expected.file.is_file():  # a pipe or a device may never end
        raise RuntimeStop(f"what is expected is no file: {expected.file}")
    how = expected.output
    return difference(expected.file, path, Likeness(float(how.tolerance or 0), tuple(how.key or ()), how.ignore_order))
