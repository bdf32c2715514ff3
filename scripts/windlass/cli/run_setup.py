"""From what `windlass run` was asked for to a run that can begin: pipeline, parameters, inputs and models."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from windlass.cli import console, context
from windlass.spec.errors import WindlassError
from windlass.spec.problem import near

if TYPE_CHECKING:
    from windlass.jobs.pipeline_run import PipelineRun
    from windlass.jobs.run_plan import RunPlan
    from windlass.spec.environment import Environment
    from windlass.spec.pipeline import Pipeline


@dataclass(frozen=True)
class Request:
    """What stands on the command line."""

    pipeline: str
    task: str | None
    inputs: tuple[str, ...]
    params: tuple[str, ...]
    date: str | None
    environment: str | None
    from_run: str | None
    backend: str


@dataclass(frozen=True)
class Ready:
    """A plan, and the run of it; `see` is told what tasks print, and may be exchanged before the run begins."""

    plan: "RunPlan"
    run: "PipelineRun"
    listeners: list[Callable[[str, str], None]]


def prepare(
    asked: Request, environments_dir: str | None, *, dry_run: bool, out: Path | None, at_once: int | None, keep: bool
) -> Ready:
    """The run, with all of its inputs; lint's findings end the command with 1, and what is missing with 2."""
    from windlass.jobs.memory import UNKNOWN, limits_in
    from windlass.jobs.names import find_pipeline, find_task
    from windlass.jobs.pipeline_run import PipelineRun
    from windlass.jobs.record import run_folder
    from windlass.jobs.run_context import RunContext
    from windlass.jobs.run_plan import missing_text, plan_run
    from windlass.jobs.task_run import Surroundings

    folder = context.project_folder()
    pipelines, own = _pipelines(folder, environments_dir)
    pipeline = find_pipeline(asked.pipeline, pipelines)
    environment = _environment(asked, environments_dir)
    if environment is not None:
        pipeline = pipeline.variants.get(environment.name, pipeline)
    task_id = find_task(asked.task, pipeline) if asked.task else None
    given = [_pair("--input", text) for text in asked.inputs]
    files = [(name, Path(path)) for name, path in given]
    params, moment = _params(pipeline, asked.params), _moment(asked.date)
    plan = plan_run(pipeline, task_id, files, own)
    if not dry_run:
        made = _new(out) if out else run_folder(folder, pipeline.dag.name, datetime.now(UTC))
        try:
            plan = _with_fetched(plan, asked, environment, made)
            if plan.missing:
                raise WindlassError(missing_text(plan))
        except BaseException:
            _remove_if_empty(made)
            raise
    else:
        made = folder
    name = environment.name if environment else "local"
    run = RunContext(pipeline.dag.name, moment, made.absolute(), params, name)
    listeners: list[Callable[[str, str], None]] = []

    def see(task: str, line: str) -> None:
        for listener in listeners:
            listener(task, line)

    reader, writer = os.pipe()
    flavors = environment.runtime.flavors if environment else None
    if flavors is None and not dry_run and any(pipeline.task_ids[name].job for name in plan.tasks):
        console.step(UNKNOWN)
    at_once = at_once or os.cpu_count() or 1
    around = Surroundings(pipeline, run, at_once, see, reader, writer, keep, limits_of=limits_in(flavors))
    if asked.backend == "docker" and not dry_run:
        from windlass.cli.run_images import places

        around = replace(around, place_of=places(environment, pipeline, plan))
    return Ready(plan, PipelineRun(plan, around), listeners)


def _pipelines(folder: Path, environments_dir: str | None) -> "tuple[dict[str, Pipeline], set[str]]":
    """The pipelines by their paths, and the operators of the project that hide standard ones."""
    from windlass.cli.lint import print_problems
    from windlass.lint.report import check_with_environments

    elsewhere, report = check_with_environments(folder, environments_dir)
    if problems := [*elsewhere, *report.problems]:
        print_problems(problems)
        click.get_current_context().exit(1)
    own = {name for name, operator in report.catalog.operators.items() if operator.own}
    return dict(report.pipelines), own


def _environment(asked: Request, environments_dir: str | None) -> "Environment | None":
    from windlass.spec.environment import find_environment

    name = asked.environment
    if name is None and asked.from_run and not asked.from_run.startswith("s3://"):
        name = asked.from_run.partition(":")[0]
    return find_environment(context.environments(environments_dir), name) if name else None


def _pair(option: str, text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark or not name or not value:
        raise WindlassError(f"{option} {text!r} must read NAME=VALUE")
    return name, value


def _params(pipeline: "Pipeline", given: tuple[str, ...]) -> dict[str, Any]:
    """All parameters with their values."""
    from windlass.jobs.params import parse_param

    known = pipeline.dag.params
    values = {name: parameter.default for name, parameter in known.items() if parameter.has_default}
    for text in given:
        name, value = _pair("--param", text)
        if name not in known:
            raise WindlassError(
                f"--param {name}: pipeline {pipeline.dag.name!r} has no such parameter{near(name, known)}"
            )
        try:
            values[name] = parse_param(known[name], value)
        except ValueError as error:
            raise WindlassError(f"--param {name}: {error}") from error
    if missing := [name for name in known if name not in values]:
        raise WindlassError(
            "these parameters have no default; add " + " ".join(f"--param {name}=..." for name in missing)
        )
    return values


def _moment(text: str | None) -> datetime:
    from windlass.spec.moment import parse_moment

    now = datetime.now(UTC).replace(microsecond=0)
    try:
        return parse_moment(text, now) if text else now
    except ValueError as error:
        raise WindlassError(f"--date: {error}") from error


def _new(out: Path) -> Path:
    if out.exists() and any(out.iterdir()):
        raise WindlassError(f"--out {out}: there is something in this folder already; name a new one")
    out.mkdir(parents=True, exist_ok=True)
    return out


def _remove_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()


def _with_fetched(plan: "RunPlan", asked: Request, environment: "Environment | None", folder: Path) -> "RunPlan":
    """The plan with the files of an earlier run and with models, as far as they can be had."""
    values: Mapping[str, Any] = plan.values
    if asked.from_run and plan.missing:
        from windlass.cli.run_replay import files_of_run

        values = {**values, **files_of_run(asked.from_run, environment, plan, folder)}
    if environment is not None:
        from windlass.cli.run_models import newest_model

        for need in plan.missing:
            if need.model and need.reference not in values:
                values = {**values, need.reference: newest_model(environment, need.model, folder)}
    missing = tuple(need for need in plan.missing if need.reference not in values)
    if not environment and any(need.model for need in missing):
        console.step("--env ENV takes the versions of models that windlass train kept last there")
    return replace(plan, values=values, missing=missing)
