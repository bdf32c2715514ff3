"""What commands say and how: results on standard output, progress on standard error, colours only on a terminal."""

import io
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


def accept_any_text() -> None:
    """Lets both streams write what their encoding does not have as an escape: a name must not stop a delivery."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_json(value: Any) -> None:
    """Prints `value` as JSON for a machine: sorted, indented, without colours."""
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    sys.stdout.write(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=not is_unicode) + "\n")


def say(message: str) -> None:
    """Prints one line of a result for a person; square brackets in it are text, not markup."""
    out.print(_harmless(message), markup=False)


def step(message: str) -> None:
    """Prints one line of progress on standard error."""
    err.print(_harmless(message), style="dim", markup=False)


def warn(message: str) -> None:
    """Prints one line that a person should not overlook on standard error."""
    err.print(f"warning: {_harmless(message)}", style="yellow", markup=False)


def fail(message: str) -> None:
    """Prints the one sentence that tells why the command stopped."""
    err.print(f"error: {_harmless(message)}", style="bold red", markup=False)


def _harmless(message: str) -> str:
    """The message with what would steer a terminal as escapes: it may hold text of others."""
    if message.isprintable():
        return message
    return "".join(
        one if one.isprintable() or one in "\n\t" else one.encode("unicode_escape").decode() for one in message
    )
