"""`windlass explain`: shows where each value of a pipeline comes from."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from windlass.cli.context import environments_option, json_option

if TYPE_CHECKING:
    from collections.abc import Iterator

    from windlass.lint.check import Report
    from windlass.spec.assemble import Assembled
    from windlass.spec.origin import Origin, Step
    from windlass.spec.pipeline import Pipeline

_WIDTH = 60
_HIDDEN = "***"


@click.command("explain", short_help="Show where a pipeline's values come from.")
@click.argument("pipeline")
@click.argument("field", required=False)
@click.option("--env", "environment", metavar="ENV", help="As it is in this environment.")
@environments_option
@json_option
def command(
    pipeline: str, field: str | None, environment: str | None, environments_dir: str | None, as_json: bool
) -> None:
    """Shows each value of PIPELINE (a name or a path) with the place of every step that made it.

    The steps are the language's default, defaults.yml, the template, the values of `with`, the pipeline's own file
    and what it says about the environment; the last one holds. Without FIELD all that is written somewhere is shown;
    FIELD is a key, a task or a group, such as dag.retries or transform.score. Nothing is executed or fetched.

    \b
    Examples:
      windlass explain orders
      windlass explain orders dag.retries --env prod
      windlass explain pipelines/orders.yml tasks.load.rows --json
    """
    from windlass.cli import console, context
    from windlass.lint.report import check_with_environments
    from windlass.spec.origin import origins

    folder = context.project_folder()
    path = _path(folder, pipeline)
    _, report = check_with_environments(folder, environments_dir, [] if path.startswith("pipelines/") else [path])
    document, read = _read(folder, path, report)
    _check_environment(environment, report, environments_dir, read)
    defaults = {
        name: {key: _literal(one.default) for key, one in operator.arguments.items() if one.default is not None}
        for name, operator in report.catalog.operators.items()
    }
    found = [_harmless(one) for one in _chosen(origins(document, read, environment, defaults), field, path)]
    files = {origin.field for origin in found if _is_file(origin, read, report)}
    if as_json:
        console.print_json([_as_data(origin) | {"is_file": origin.field in files} for origin in found])
        return
    for origin in found:
        for line in _lines(origin, whole=field is not None, is_file=origin.field in files):
            console.say(line)


def _literal(source: str) -> Any:
    """The value that a default's source text stands for; the text itself where it is more than a literal."""
    import ast

    try:
        return ast.literal_eval(source)
    except (ValueError, SyntaxError):
        return source


def _path(folder: Path, given: str) -> str:
    """The pipeline's path below the project's folder."""
    from windlass.spec.errors import WindlassError
    from windlass.spec.problem import near

    known = [path.stem for path in (folder / "pipelines").glob("*.y*ml")]
    for path in (folder / "pipelines" / f"{given}.yml", folder / "pipelines" / f"{given}.yaml", folder / given):
        if path.is_file() and path.absolute().is_relative_to(folder):
            return path.absolute().relative_to(folder).as_posix()
    raise WindlassError(f"there is no pipeline {given!r} here{near(given, known)}")


def _read(folder: Path, path: str, report: "Report") -> "tuple[Assembled, Pipeline]":
    """The pipeline and its layers; where it has problems of form they are printed, and the command ends with 1."""
    from windlass.cli.lint import print_problems
    from windlass.spec.files import parse_file

    assert report.shelf is not None
    whole = report.shelf.layers_of(parse_file(folder, path))
    if whole is None or path not in report.pipelines:
        print_problems([one for one in report.problems if path in (one.path, *one.used_by)])
        click.get_current_context().exit(1)
    return whole, report.pipelines[path]


def _check_environment(
    environment: str | None, report: "Report", environments_dir: str | None, pipeline: "Pipeline"
) -> None:
    """WindlassError where neither the pipeline nor the environments folder knows the environment."""
    from windlass.cli.context import project_folder
    from windlass.spec.environment import environments_folder
    from windlass.spec.errors import WindlassError
    from windlass.spec.problem import near

    folder = environments_folder(project_folder(), environments_dir)
    stems = {path.stem for path in folder.glob("*.yml")} if folder else set()
    known = {*pipeline.environments, *stems} - {"base", "roles"}
    if environment is not None and environment not in known:
        raise WindlassError(f"--env: there is no environment {environment!r}{near(environment, known)}")


def _chosen(found: "list[Origin]", field: str | None, path: str) -> "list[Origin]":
    """The origins that FIELD asks for; WindlassError with a near match where there is no such field."""
    from windlass.spec.errors import WindlassError
    from windlass.spec.problem import near

    if field is None:
        return [origin for origin in found if origin.is_written]
    for name in (field, f"tasks.{field}"):
        if exact := [origin for origin in found if origin.field == name]:
            return exact
        if below := [origin for origin in found if origin.field.startswith(f"{name}.")]:
            return [origin for origin in below if origin.is_written] or below
    before, parts = "", field.split(".")
    for part in parts:
        inner = {origin.field[len(before) :].split(".")[0] for origin in found if origin.field.startswith(before)}
        if part not in inner:
            raise WindlassError(f"{path} has no field {before + part!r}{near(part, inner)}")
        before += f"{part}."
    raise WindlassError(f"{path} has no field {field!r}")


def _harmless(origin: "Origin") -> "Origin":
    """The origin with *** in place of all that made it, where a secret is in the value."""
    from dataclasses import replace

    from windlass.lint.secrets import holds_secret

    key = origin.field.rpartition(".")[2]
    if not any(holds_secret(key, value) for value in (origin.value, *(step.value for step in origin.steps))):
        return origin
    return replace(origin, value=_HIDDEN, steps=tuple(replace(step, value=_HIDDEN) for step in origin.steps))


def _as_data(origin: "Origin") -> dict[str, Any]:
    from dataclasses import asdict

    return {"field": origin.field, "value": origin.value, "steps": [asdict(step) for step in origin.steps]}


def _is_file(origin: "Origin", pipeline: "Pipeline", report: "Report") -> bool:
    """Whether the value of an operator's argument is a file's path that stands for the file's text."""
    from windlass.catalog.file_arguments import file_endings
    from windlass.spec.file_value import with_files

    place, _, name = origin.field.removeprefix("tasks.").rpartition(".")
    task = pipeline.task_ids.get(place)
    if task is None or name not in task.arguments:
        return False
    endings = file_endings(name, report.catalog.operators.get(task.operator_type or ""))
    return bool(with_files(origin.value, endings) != origin.value)


def _lines(origin: "Origin", *, whole: bool, is_file: bool) -> "Iterator[str]":
    """The field with its value, and a line for each step; the language's own only where a field was asked for."""
    steps = [step for step in origin.steps if whole or step.path is not None]
    yield f"{origin.field} = {_shown(origin.value)}{' (a file)' if is_file else ''}"
    width = max(len(_shown(step.value)) for step in steps)
    for step in steps:
        yield f"    {_shown(step.value):{width}}  {_who(step)}"


def _who(step: "Step") -> str:
    who = f"{step.by} ({step.field})" if step.field else step.by
    return who if step.path is None else f"{who}  {step.path}:{step.line}:{step.column}"


def _shown(value: Any) -> str:
    import json

    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."
