"""What commands say and how: results on standard output, progress on standard error, colours only on a terminal."""

import io
import json
import os
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_PIPE_WIDTH = 240
"""Columns of a table that no terminal limits: a job's log or a pipe gets every value whole."""


class _Later:
    """A console of Rich's, which is imported when something is to be styled: that takes longer than many a lint."""

    def __init__(self, *, stderr: bool = False) -> None:
        self._is_err = stderr

    @property
    def is_terminal(self) -> bool:
        """What Rich would say, which is not asked where the answer is plain."""
        stream = sys.stderr if self._is_err else sys.stdout
        is_open = stream.isatty() or "FORCE_COLOR" in os.environ or "TTY_COMPATIBLE" in os.environ
        return is_open and self._made.is_terminal

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made, name)

    def __enter__(self) -> "Console":
        """Rich's own displays enter their console: these two are not looked up by `__getattr__`."""
        return self._made.__enter__()

    def __exit__(self, *error: Any) -> None:
        self._made.__exit__(*error)

    @cached_property
    def _made(self) -> "Console":
        from rich.console import Console

        width = None if self._is_err or sys.stdout.isatty() else _PIPE_WIDTH
        return Console(stderr=self._is_err, highlight=False, soft_wrap=True, width=width)


out = cast("Console", _Later())
err = cast("Console", _Later(stderr=True))


def table(*columns: str) -> "Table":
    """An empty table without lines; what does not fit goes on in the next line and is never cut."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made


def accept_any_text() -> None:
    """Lets both streams write what their encoding does not have as an escape: a name must not stop a delivery.

    One that is closed (`>&-`) takes everything and shows nothing.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115 - for as long as the process lives
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_json(value: Any) -> None:
    """Prints `value` as JSON for a machine: sorted, indented, with an escape for what does not print."""
    is_unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=not is_unicode)
    if not text.replace("\n", "").isprintable():
        text = "".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text)
    sys.stdout.write(text + "\n")


def say(message: str, style: str | None = None) -> None:
    """Prints one line of a result for a person; square brackets in it are text, and `style` is for a terminal."""
    _print(out, _harmless(message), style)


def step(message: str) -> None:
    """Prints one line of progress on standard error."""
    _print(err, _harmless(message), "dim")


def warn(message: str) -> None:
    """Prints one line that a person should not overlook on standard error."""
    _print(err, f"warning: {_harmless(message)}", "yellow")


def fail(message: str) -> None:
    """Prints the one sentence that tells why the command stopped."""
    _print(err, f"error: {_harmless(message)}", "bold red")


def _print(console: "Console", text: str, style: str | None = None) -> None:
    if console.is_terminal:
        console.print(text, style=style, markup=False, emoji=False)
    else:
        click.echo(text, err=console is err)


def _harmless(message: str) -> str:
    """The message with what would steer a terminal as escapes: it may hold text of others."""
    if message.isprintable():
        return message
    return "".join(
        one if one.isprintable() or one in "\n\t" else one.encode("unicode_escape").decode() for one in message
    )
