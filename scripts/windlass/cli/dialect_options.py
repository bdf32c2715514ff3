"""The options that say how a CSV file is written."""

from collections.abc import Callable
from typing import Any

import click


def dialect_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --delimiter, --quote and --escape."""
    options = (
        click.option(
            "--delimiter", metavar="CHAR", help="Between the fields, where the header does not show it; or tab."
        ),
        click.option("--quote", metavar="CHAR", help="Around fields, where it is not the double quote; or none."),
        click.option("--escape", metavar="CHAR", help="Takes the next character's meaning away, like a backslash."),
    )
    for option in reversed(options):
        command = option(command)
    return command
