"""`windlass render`: shows the Python that pipelines become, or writes it to a folder as a release would hold it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from windlass.cli.context import environments_option, project_option

if TYPE_CHECKING:
    from windlass.spec.pipeline import Pipeline


@click.command("render", short_help="Show the DAGs that pipelines become.")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--out", type=click.Path(file_okay=False), help="Write the DAGs, operators and runtime below this folder."
)
@click.option("--pin", "pins", multiple=True, metavar="NAME=VERSION", help="Take this version of a model; repeatable.")
@click.option("--env", "environment_name", metavar="ENV", help="Take the versions that this environment's data make.")
@project_option
@environments_option
def command(
    paths: tuple[str, ...],
    out: str | None,
    pins: tuple[str, ...],
    environment_name: str | None,
    project_given: str | None,
    environments_dir: str | None,
) -> None:
    """Renders the pipelines in PATHS, or all of the project here, as Airflow DAGs.

    Without --out the source is printed. Without --env or a --pin, a model stays without a version, and such a DAG is
    only good for reading: a release pins them all. Where `windlass lint` finds problems, they are shown instead, with
    exit code 1.

    \b
    Examples:
      windlass render
      windlass render pipelines/read_digits.yml --pin digits=0123456789abcdef
      windlass render --env dev --out build
    """
    from windlass.cli import console, context
    from windlass.cli.building import expected_versions
    from windlass.cli.lint import print_problems
    from windlass.lint.report import check_with_environments
    from windlass.render.project import render_project
    from windlass.spec.environment import find_environment

    folder = context.project_folder()
    elsewhere, report = check_with_environments(folder, environments_dir)
    if problems := [*elsewhere, *report.problems]:
        print_problems(problems)
        click.get_current_context().exit(1)
    pipelines = select(report.pipelines, paths, folder)
    project, versions = context.project(project_given), _pins(pins, list(report.models))
    if environment_name is not None:
        environment = find_environment(context.environments(environments_dir), environment_name)
        versions = expected_versions(folder, report, environment) | versions
    rendered = render_project(folder, project, pipelines, report.catalog, versions)
    if out is None:
        _show({path: content for path, content in rendered.files.items() if path.startswith("dags/")})
        return
    _write(rendered.files, Path(out, project))
    console.say(f"{len(rendered.files)} files in {Path(out, project)}")


def select(pipelines: "Mapping[str, Pipeline]", paths: tuple[str, ...], folder: Path) -> "dict[str, Pipeline]":
    """The pipelines at `paths`, or all when none is given."""
    from windlass.spec.errors import WindlassError
    from windlass.spec.problem import near

    if not pipelines:
        raise WindlassError("there is nothing to render: no pipelines/*.yml here")
    known = {(folder / path).resolve(): path for path in pipelines}
    for path in paths:
        if Path(path).resolve() not in known:
            raise WindlassError(f"{path!r} is no pipeline of the project here{near(path, known.values())}")
    chosen = [known[Path(path).resolve()] for path in paths] or list(pipelines)
    return {path: pipelines[path] for path in chosen}


def _pins(given: tuple[str, ...], models: list[str]) -> dict[str, str]:
    from windlass.spec.errors import WindlassError
    from windlass.spec.problem import near

    pins = {}
    for pin in given:
        name, _, version = pin.partition("=")
        if name not in models:
            raise WindlassError(f"--pin {pin!r}: there is no model {name!r}{near(name, models)}")
        if not re.fullmatch(r"[0-9a-f]{16}", version):
            raise WindlassError(f"--pin {pin!r}: a version is 16 hex digits, as `windlass train` prints it")
        pins[name] = version
    return pins


def _write(files: Mapping[str, bytes], folder: Path) -> None:
    """Writes the files below `folder`; others that are there stay."""
    from windlass.spec.errors import WindlassError

    try:
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    except OSError as error:
        raise WindlassError(f"--out: {str(folder)!r} cannot be written: {error.strerror}") from error


def _show(files: Mapping[str, bytes]) -> None:
    """Prints each DAG, in colours on a terminal."""
    from windlass.cli import console

    for content in files.values():
        if console.out.is_terminal:
            from rich.syntax import Syntax

            console.out.print(Syntax(content.decode(), "python", background_color="default"))
        else:
            click.echo(content.decode())
