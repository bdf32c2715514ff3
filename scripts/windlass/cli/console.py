"""What commands say and how: results on standard output, progress on standard error, colours only on a terminal."""

import json
import sys
from typing import Any

from rich.console import Console

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


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
