"""`windlass doctor`: looks whether the machine, the repository and its project in GitLab are as windlass needs them."""

import click

from windlass.cli import context


@click.command("doctor", short_help="Check this machine and a project's settings in GitLab.")
@click.option("--gitlab-project", metavar="PATH", help="The project in GitLab, group/name.  [default: that of origin]")
@click.option("--machine", "only_machine", is_flag=True, help="Look at this machine only.")
@context.environments_option
@context.json_option
def command(gitlab_project: str | None, only_machine: bool, environments_dir: str | None, as_json: bool) -> None:
    """Check this machine, the repository here and its project's settings in GitLab.

    Says for each thing that is not as windlass needs it what to change, by menu and by API (docs/doctor.md), and
    changes nothing. GitLab is asked with WINDLASS_GITLAB_URL and WINDLASS_GITLAB_TOKEN, in a job with what the job has;
    what a token may not see is listed as not seen. Values of variables are never shown. Exit code 1 where an error was
    found.

    \b
    Examples:
      windlass doctor
      windlass doctor --machine
      windlass doctor --gitlab-project models/digits --json
    """
    from windlass.cli.doctor_view import report
    from windlass.doctor.examine import examine, is_well

    if only_machine:
        from windlass.cli.doctor_look import look_at_machine

        results = [result for result in examine(look_at_machine()) if result.place == "machine"]
    else:
        from windlass.cli.doctor_look import look

        results = examine(look(gitlab_project, environments_dir))
    report(results, as_json)
    if not is_well(results):
        click.get_current_context().exit(1)
