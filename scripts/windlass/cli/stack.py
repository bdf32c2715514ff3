"""`windlass stack`: the local S3 server, the GitLab stand-in and the three Airflows."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from windlass.cli import console

if TYPE_CHECKING:
    from windlass.stack.stack import Stack

ENVIRONMENTS = ("dev", "stage", "prod")

home_option = click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".windlass/stack"),
    show_default=True,
    envvar="WINDLASS_STACK_HOME",
    help="Folder of the stack: its data, logs and secrets.",
)


@click.group(short_help="Run a whole delivery landscape on this machine.")
def command() -> None:
    """Start, look at and stop a whole delivery landscape on this machine.

    It is an S3 server with enforced credentials and its data on disk, a GitLab stand-in
    (git over HTTP and a few API calls), and the Airflow instances dev, stage and prod.
    Everything listens on 127.0.0.1 only, on ports chosen at the first start. Stacks with
    different --home do not disturb each other.

    \b
    Examples:
      windlass stack up
      windlass stack status --json
      eval "$(windlass stack env prod)"
      windlass stack down
    """


@command.command()
@home_option
@click.option("--no-wait", is_flag=True, help="Return while the Airflows are still starting.")
def up(home: Path, no_wait: bool) -> None:
    """Start what does not run yet and wait until it is healthy.

    \b
    Examples:
      windlass stack up
      windlass stack up --no-wait
    """
    stack = open_stack(home)
    stack.up(wait=not no_wait)
    show(stack)


@command.command()
@home_option
def down(home: Path) -> None:
    """Stop every process of the stack; its data stay.

    \b
    Examples:
      windlass stack down
    """
    stopped = open_stack(home).down()
    console.say(f"stopped {', '.join(stopped)}" if stopped else "nothing was running")


@command.command()
@home_option
@click.option("--json", "as_json", is_flag=True, help="Print for a machine.")
def status(home: Path, as_json: bool) -> None:
    """Show each service with its address, state and process number.

    \b
    Examples:
      windlass stack status
    """
    stack = open_stack(home)
    if as_json:
        console.print_json([asdict(status) for status in stack.status()])
    else:
        show(stack)


@command.command()
@home_option
@click.argument("environment", type=click.Choice(ENVIRONMENTS), default="dev")
def env(home: Path, environment: str) -> None:
    """Print the variables with which windlass talks to the stack, for `eval` in a shell.

    They hold secrets of this stack: the operator's S3 key, the Airflow password of ENVIRONMENT
    and the GitLab token.

    \b
    Examples:
      eval "$(windlass stack env stage)" && windlass status stage
    """
    for name, value in open_stack(home).operator_variables(environment).items():
        console.say(f"export {name}={shlex.quote(value)}")


def open_stack(home: Path) -> "Stack":
    """The stack in `home`, with its progress on standard error."""
    from windlass.stack.stack import Stack

    return Stack(home, report=console.step, warn=console.warn)


def show(stack: "Stack") -> None:
    """Prints the table of services."""
    table = console.table("service", "address", "state", "pid")
    for status in stack.status():
        state = f"{status.state} ({status.detail})" if status.detail else status.state
        table.add_row(status.service, status.url, state, str(status.pid or ""))
    console.out.print(table)
