"""`windlass lint`: says what is wrong with pipelines, models and environments, without executing anything."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from windlass.lint.report import Findings
    from windlass.spec.problem import Problem


@click.command("lint", short_help="Check pipelines, models and environments.")
@click.argument("paths", nargs=-1, type=click.Path(exists=True))
@click.option("--environments", envvar="WINDLASS_ENVIRONMENTS", metavar="DIR", help="Folder with the environments.")
@click.option("--format", "form", type=click.Choice(["text", "json", "gitlab"]), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--output", type=click.Path(dir_okay=False), help="Write the format to this file, and text to the terminal."
)
def command(paths: tuple[str, ...], environments: str | None, form: str, as_json: bool, output: str | None) -> None:
    """Checks PATHS, or all files of the project here: pipelines/, models/ and environments/.

    Every problem is shown as `path:line:col: message [rule]`, all of them in one pass; docs/rules.md explains each
    rule. Nothing that a file names is imported, executed or fetched. Exits with 1 when there are problems.

    \b
    Examples:
      windlass lint
      windlass lint pipelines/read_digits.yml
      windlass lint --format gitlab --output code-quality.json
    """
    from windlass.cli import console
    from windlass.lint.report import as_data, as_gitlab, lint

    findings = lint(paths, Path.cwd(), environments)
    form = "json" if as_json else form
    data = {"json": as_data, "gitlab": as_gitlab}.get(form)
    if data and output:
        _write(Path(output), data(findings))
    elif data:
        console.print_json(data(findings))
    if output or not data:
        print_findings(findings)
    if findings.problems:
        click.get_current_context().exit(1)


def _write(path: Path, data: object) -> None:
    import json

    from windlass.spec.errors import WindlassError

    try:
        path.write_text(json.dumps(data, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise WindlassError(f"--output: {str(path)!r} cannot be written: {error.strerror}") from error


def print_findings(findings: "Findings") -> None:
    """Prints each problem, or the one line that there are none."""
    from windlass.cli import console

    print_problems(findings.problems)
    count = len(findings.files)
    if not findings.problems:
        console.say(f"{count} file{'' if count == 1 else 's'}, no problems")


def print_problems(problems: "list[Problem]") -> None:
    """Prints each problem in its line: the place in bold and the rule dim on a terminal."""
    from windlass.cli import console

    if not console.out.is_terminal:
        for problem in problems:
            click.echo(str(problem))
        return
    from rich.text import Text

    for problem in problems:
        place = (f"{problem.path}:{problem.line}:{problem.column}: ", "bold")
        console.out.print(Text.assemble(place, problem.message, (f" [{problem.rule}]", "dim")))
