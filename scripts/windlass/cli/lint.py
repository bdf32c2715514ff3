"""`windlass lint`: says what is wrong with pipelines, models and environments, without executing anything."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from windlass.lint.findings import Findings
    from windlass.spec.problem import Problem

FORMATS = ("text", "json", "code-quality", "sarif", "junit")


@click.command("lint", short_help="Check pipelines, models and environments.")
@click.argument("paths", nargs=-1, type=click.Path(exists=True))
@click.option("--environments", envvar="WINDLASS_ENVIRONMENTS", metavar="DIR", help="Folder with the environments.")
@click.option("--project", envvar="WINDLASS_PROJECT", metavar="NAME", help="A project's name, to be checked too.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option(
    "--output", type=click.Path(dir_okay=False), help="Write the format to this file, and text to the terminal."
)
@click.option("--fix", is_flag=True, help="First correct what can be corrected without a second thought.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option("--explain", metavar="RULE", help="Say what a rule is about, and check nothing.")
def command(
    paths: tuple[str, ...],
    environments: str | None,
    project: str | None,
    form: str,
    as_json: bool,
    output: str | None,
    fix: bool,
    diff: bool,
    explain: str | None,
) -> None:
    """Checks PATHS, or all files of the project here: pipelines/, models/ and environments/.

    Every problem is shown as `path:line:col: message [rule]`, all of them in one pass; docs/rules.md explains each
    rule. Nothing that a file names is imported, executed or fetched. Exits with 1 when there are problems, and with
    --diff when there is something to correct.

    \b
    Examples:
      windlass lint
      windlass lint pipelines/read_digits.yml
      windlass lint --fix
      windlass lint --explain known-pool
      windlass lint --format code-quality --output code-quality.json
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # it would look for some in all that is installed
    from windlass.lint.report import lint

    if explain is not None:
        _explain(explain)
        return
    if project is not None:
        _check_name(project)
    if fix or diff:
        changed = _correct(paths, environments, write=fix and not diff)
        if diff:
            click.get_current_context().exit(1 if changed else 0)
    findings = lint(paths, Path.cwd(), environments)
    report(findings, "json" if as_json else form, output)
    if findings.problems:
        click.get_current_context().exit(1)


def report(findings: "Findings", form: str, output: str | None) -> None:
    """Says what was found: as text for people, or in a format for machines, which `output` keeps apart."""
    if form != "text":
        from windlass.lint import formats  # for text alone nobody waits for the modules of XML

        written = formats.FORMATS[form](findings)
        if output:
            _write(Path(output), written)
        else:
            click.echo(written, nl=False)
    if output or form == "text":
        print_findings(findings)


def _explain(rule: str) -> None:
    from windlass.lint.explain import explanation, page

    click.echo(f"{rule}: {explanation(rule)}\n\nMore is in {page(rule)}.")


def _check_name(project: str) -> None:
    """WindlassError where releases of a project of this name could not be imported."""
    from windlass.spec.errors import WindlassError
    from windlass.spec.names import project_name

    try:
        project_name(project)
    except ValueError as error:
        raise WindlassError(f"--project: {error}; give it another name") from error


def _correct(paths: tuple[str, ...], environments: str | None, *, write: bool) -> bool:
    """Shows or writes the corrections; whether there were any."""
    from windlass.cli import console
    from windlass.lint import fix
    from windlass.lint.report import corrections

    found = corrections(paths, Path.cwd(), environments)
    for one in found if write else ():
        fix.write(one)
        console.step(f"corrected {one.path}")
    if not write:
        click.echo(fix.difference(found), nl=False)
    return bool(found)


def _write(path: Path, text: str) -> None:
    from windlass.spec.errors import WindlassError

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WindlassError(f"--output: {str(path)!r} cannot be written: {error.strerror}") from error


def print_findings(findings: "Findings") -> None:
    """Prints each problem, or the one line that there are none; on a terminal with the line that it is in."""
    from windlass.cli import console

    if console.out.is_terminal:
        _print_with_lines(findings)
    else:
        print_problems(findings.problems)
    count = len(findings.files)
    if not findings.problems:
        console.say(f"{count} file{'' if count == 1 else 's'}, no problems")


def print_problems(problems: "list[Problem]") -> None:
    """Prints each problem in its line: the place in bold and the rule dim on a terminal."""
    from windlass.cli import console

    for problem in problems:
        if console.out.is_terminal:
            _print_styled(problem)
        else:
            click.echo(str(problem))


def _print_with_lines(findings: "Findings") -> None:
    from rich.text import Text

    from windlass.cli import console
    from windlass.lint.shown import source_lines

    for problem in findings.problems:
        _print_styled(problem)
        if lines := source_lines(findings, problem):
            number = f"{problem.line:>5} | "
            console.out.print(Text.assemble((number, "dim"), lines[0]))
            console.out.print(Text.assemble((" " * (len(number) - 2) + "| ", "dim"), (lines[1], "bold red")))


def _print_styled(problem: "Problem") -> None:
    from rich.text import Text

    from windlass.cli import console

    place = (f"{problem.path}:{problem.line}:{problem.column}: ", "bold")
    console.out.print(Text.assemble(place, problem.message, (f" [{problem.rule}]", "dim")))
