"""`windlass run`: runs a pipeline or one task of it here, without Airflow, S3 or containers."""

from pathlib import Path

import click

from windlass.cli import context


@click.command("run", short_help="Run a pipeline or a task on this machine.")
@click.argument("pipeline_name", metavar="PIPELINE")
@click.argument("task_name", metavar="[TASK]", required=False)
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="NAME=PATH",
    help="A file, or a model's folder, for a port of the task, `group.task.port` or `model:NAME`; repeatable.",
)
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter of the pipeline; repeatable.")
@click.option("--date", metavar="DATE", help="The run's date, like 2026-01-31.  [default: now]")
@click.option("--env", "environment_name", metavar="ENV", help="Take this environment's values and newest models.")
@click.option("--from-run", metavar="ENV:PIPELINE:RUN_ID", help="Take the inputs from a run of an environment.")
@click.option("--backend", type=click.Choice(["local", "docker"]), default="local", help="docker: in --env's images.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="A new folder for what the run leaves.")
@click.option("--jobs", "at_once", type=click.IntRange(1, 64), help="How many jobs run at once.  [default: processors]")
@click.option("--keep", is_flag=True, help="Leave the folders that jobs ran in.")
@click.option("--dry-run", is_flag=True, help="Only show what would run.")
@context.environments_option
@context.json_option
def command(
    pipeline_name: str,
    task_name: str | None,
    inputs: tuple[str, ...],
    params: tuple[str, ...],
    date: str | None,
    environment_name: str | None,
    from_run: str | None,
    backend: str,
    out: Path | None,
    at_once: int | None,
    keep: bool,
    dry_run: bool,
    environments_dir: str | None,
    as_json: bool,
) -> None:
    """Runs the pipeline, or one TASK of it, on this machine: no Airflow, no S3, no containers.

    Jobs see what they see everywhere else (docs/jobs.md), with their time limits. Files that operators fetch from
    services are given by --input; what is missing is listed at once. Nothing is tried again, approvals are taken as
    given, and what is delivered goes to the folder `delivered` of the run. All that a run leaves is below
    .windlass/runs. Exit code 1 where a task did not end well.

    \b
    Examples:
      windlass run read_digits --input images=batch.csv --input model=digits/
      windlass run read_digits score --input images=batch.csv --env dev
      windlass run read_digits --from-run prod:read_digits:scheduled__2026-01-31T06:00:00+00:00
    """
    from windlass.cli.run_setup import Request, prepare
    from windlass.cli.run_view import report, show_plan, watch

    wanted = Request(pipeline_name, task_name, inputs, params, date, environment_name, from_run, backend)
    ready = prepare(wanted, environments_dir, dry_run=dry_run, out=out, at_once=at_once, keep=keep)
    if dry_run:
        show_plan(ready.plan, as_json)
        return
    ended_well = watch(ready)
    report(ready, as_json)
    if not ended_well:
        click.get_current_context().exit(1)
