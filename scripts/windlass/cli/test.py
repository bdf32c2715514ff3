"""`windlass test`: runs the contract tests of jobs, and the tests that the project's models name."""

from pathlib import Path

import click

from windlass.cli import context


@click.command("test", short_help="Run the contract tests of jobs and the tests of models.")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--list", "only_list", is_flag=True, help="Show the cases, and run nothing.")
@click.option(
    "--jobs", "at_once", type=click.IntRange(1, 64), help="How many cases run at once.  [default: processors]"
)
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write a JUnit report to this file.")
@click.option("--accept", is_flag=True, help="Write what the jobs of the cases leave now as what is expected.")
@click.option("--new", "new", metavar="TASK", help="Make a case of this job from the files of --input.")
@click.option("--case", "case", metavar="NAME", help="What the case that --new makes is called.")
@click.option("--input", "inputs", multiple=True, metavar="PORT=PATH", help="A file for --new; repeatable.")
@click.option("--env", "environment_name", metavar="ENV", help="Give jobs the memory that flavors have there.")
@context.environments_option
@context.json_option
def command(
    names: tuple[str, ...],
    only_list: bool,
    at_once: int | None,
    junit: Path | None,
    accept: bool,
    new: str | None,
    case: str | None,
    inputs: tuple[str, ...],
    environment_name: str | None,
    environments_dir: str | None,
    as_json: bool,
) -> None:
    """Run the contract tests of jobs and the tests of models.

    A NAME is a model, a pipeline, a task, a case or PIPELINE/TASK/CASE; `*` stands for anything, and without names all
    run. A case is the folder tests/jobs/PIPELINE/TASK/CASE/ with the inputs of a job and what is expected of its
    outputs (docs/jobs.md). It runs as `windlass run` runs the job: in a folder of its own and without the credentials
    of this shell. A model's tests are the command that it has under `tests`. Exit code 1 where one did not pass.

    \b
    Examples:
      windlass test
      windlass test digits "read_digits/score/*" --junit report.xml
      windlass test --new transform.score --case empty_name --input data=bad.csv
      windlass test empty_name --accept
    """
    from windlass.cli.test_run import load, make_case, run
    from windlass.cli.test_view import report, show_list, write_junit
    from windlass.spec.environment import find_environment

    folder = context.project_folder()
    environment = (
        find_environment(context.environments(environments_dir), environment_name) if environment_name else None
    )
    if new is not None:
        names = (make_case(folder, environments_dir, new, case, inputs, accept=accept),)
    elif case is not None or inputs:
        raise click.UsageError("--case and --input belong to --new TASK")
    chosen = load(folder, environments_dir, names)
    if only_list:
        show_list(chosen, as_json)
        return
    if new is not None and not accept:
        return
    done = run(folder, chosen, at_once, accept=accept, environment=environment)
    report(done, as_json)
    if junit is not None:
        write_junit(junit, done)
    if not done.is_well:
        click.get_current_context().exit(1)
