"""`windlass rehearse`: a repository's real GitLab pipeline, run on the local stack."""

import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from windlass.cli import console
from windlass.cli.stack import home_option, open_stack
from windlass.stack.event import ENDS, EVENTS, MERGE_REQUEST, SCHEDULE, TAG

if TYPE_CHECKING:
    from windlass.stack.rehearsal import Rehearsal

COLOURS = {"passed": "green", "failed": "bold red", "not run": "bold red", "allowed to fail": "yellow"}


@click.command(short_help="Run a repository's real GitLab pipeline on the local stack.")
@click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path())
@click.option(
    "--event",
    type=click.Choice([*EVENTS, SCHEDULE, *ENDS]),
    default=MERGE_REQUEST,
    show_default=True,
    help="What happens in GitLab: a merge request is opened, it is merged, a tag is made on main, main's schedule is "
    "due; or the merge request is closed, its branch is deleted, its environments are stopped.",
)
@click.option("--tag", metavar="vX.Y.Z", help="Name of the tag [default: the next patch version, v0.1.0 first].")
@click.option(
    "--platform",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Checkout of the platform repository [default: the one windlass runs from].",
)
@click.option(
    "--variable",
    "names",
    metavar="NAME",
    multiple=True,
    help="A CI/CD variable of the project; its value is that of this command's own variable. May be repeated.",
)
@click.option(
    "--manual",
    metavar="JOB",
    multiple=True,
    help="A manual job of the pipeline that somebody starts. May be repeated.",
)
@click.option(
    "--as",
    "user",
    metavar="USER",
    help="Who pushes, merges and tags; made when there is none, as a developer [default: the operator, root].",
)
@click.option("--json", "as_json", is_flag=True, help="Print the jobs for a machine.")
@home_option
def command(
    path: Path,
    event: str,
    tag: str | None,
    platform: Path | None,
    names: tuple[str, ...],
    manual: tuple[str, ...],
    user: str | None,
    as_json: bool,
    home: Path,
) -> None:
    """Run the real GitLab pipeline of the repository at PATH on the local stack.

    The stack is started when it is not up. What is committed at PATH is pushed to the
    project models/<folder> of the stack's GitLab stand-in, this platform to
    platform/windlass; then the pipeline of the event runs in a fresh clone. Environments that
    the event ends are stopped by the jobs that GitLab starts for that.

    \b
    Examples:
      windlass rehearse
      windlass rehearse ../digits --event main
      windlass rehearse ../digits --event tag --tag v1.0.0
      windlass rehearse ../digits --event tag --as ann
      windlass rehearse --manual digits:review
      windlass rehearse --event close
      DWH_PASSWORD=... windlass rehearse --variable DWH_PASSWORD
    """
    from windlass.spec.errors import WindlassError
    from windlass.stack.rehearsal import ready, rehearse, shows_reviews

    if tag and event != TAG:
        raise WindlassError("--tag names the new tag: give --event tag with it")
    if manual and event in ENDS:
        raise WindlassError(f"--manual starts a job of a pipeline, and --event {event} has none: leave it out")
    if unset := [name for name in names if name not in os.environ]:
        raise WindlassError(f"--variable: not set here: {', '.join(unset)}; export them first")
    path = ready(path, console.step)
    stack = open_stack(home)
    # a merge request needs Airflow for a review alone: else it may still be starting
    stack.up(wait=event != MERGE_REQUEST or shows_reviews(path))
    output = console.step if as_json else live
    variables = {name: os.environ[name] for name in names}
    rehearsal = rehearse(
        stack,
        path,
        event,
        tag=tag,
        platform=platform,
        variables=variables,
        user=user,
        manual=manual,
        report=console.step,
        output=output,
    )
    if as_json:
        console.print_json({**asdict(rehearsal), "folder": str(rehearsal.folder), "ok": rehearsal.ok})
    else:
        show(rehearsal)
    if not rehearsal.ok:
        click.get_current_context().exit(1)


def live(line: str) -> None:
    """Prints one line of a job as it comes; a person at a terminal sees at a glance who says it and what ended how."""
    from rich.text import Text

    if not console.out.is_terminal:
        console.say(line)
        return
    text, command = Text(line), re.match(r"\S+ +\$ ", line) is not None
    text.highlight_regex(r"^\S+", "cyan")
    text.highlight_regex(r"(?<= )finished in .*", "bold red" if " FAIL " in line else "green")
    text.highlight_regex(r"^ FAIL .*", "bold red")
    if command:
        text.stylize("dim")
    # a command is cut at the edge of the terminal, what it says is not
    console.out.print(text, soft_wrap=not command, no_wrap=command, overflow="ellipsis" if command else None)


def show(rehearsal: "Rehearsal") -> None:
    """Prints the table of jobs."""
    from rich.text import Text

    table = console.table("job", "environment", "result", "seconds")
    for job in rehearsal.jobs:
        seconds = "" if job.seconds is None else f"{job.seconds:.1f}"
        table.add_row(job.name, job.environment, Text(job.result, COLOURS.get(job.result, "")), seconds)
    if rehearsal.jobs:
        console.out.print(table)
    if any(job.result == "not run" for job in rehearsal.jobs):
        console.warn(
            "nothing failed, yet some jobs did not run: a job that waits for a failure or a person comes before them"
        )
