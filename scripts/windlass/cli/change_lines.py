"""Prints the lines of a plan or a comparison: on a terminal each in the colour of its sign, in a pipe as they are."""

from collections.abc import Iterable

from windlass.cli import console

_COLOURS = {"+": "green", "-": "red", "~": "yellow", "!": "bold magenta", "refused:": "bold red"}


def say_changes(lines: Iterable[str]) -> None:
    """Prints each line whole; brackets in it are text."""
    for line in lines:
        sign = line.strip().split(" ", 1)[0]
        console.out.print(line, markup=False, style=_COLOURS.get(sign))
