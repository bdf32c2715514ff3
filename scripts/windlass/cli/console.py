"""What commands say and how: results on standard output, progress on standard error, colours only on a terminal."""

import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

_PIPE_WIDTH = 240
"""Columns of a table that no terminal limits: a job's log or a pipe gets every value whole."""

out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def table(*columns: str) -> Table:
    """An empty table without lines; what does not fit goes on in the next line and is never cut."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def print_json(value: Any) -> None:
    """Prints `value` as JSON for a machine: sorted, indented, without colours."""
    sys.stdout.write(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def say(message: str) -> None:
    """Prints one line of a result for a person; square brackets in it are text, not markup."""
    out.print(message, markup=False)


def step(message: str) -> None:
    """Prints one line of progress on standard error."""
    err.print(message, style="dim", markup=False)


def warn(message: str) -> None:
    """Prints one line that a person should not overlook on standard error."""
    err.print(f"warning: {message}", style="yellow", markup=False)


def fail(message: str) -> None:
    """Prints the one sentence that tells why the command stopped."""
    err.print(f"error: {message}", style="bold red", markup=False)
