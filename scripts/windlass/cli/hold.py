"""`windlass hold`: keeps a project, or one release of it, from being promoted to an environment."""

import click

from windlass.cli import context
from windlass.cli.reason import stop_reason_option


@click.command("hold", short_help="Keep the project, or one release of it, out of ENV.")
@click.argument("name", metavar="ENV")
@click.option("--release", "release", metavar="RELEASE", help="Only this release: a tag, a commit or a digest.")
@stop_reason_option
@context.environments_option
@context.project_option
@context.json_option
def command(
    name: str,
    release: str | None,
    reason: str,
    environments_dir: str | None,
    project_given: str | None,
    as_json: bool,
) -> None:
    """Let nothing of the project, or not RELEASE, be promoted to ENV until `windlass release-hold`.

    What is live stays live, and a rollback is always allowed. The hold is part of the environment's state: a promotion
    that was checked before the hold came does not overtake it. Setting it again changes nothing.

    \b
    Examples:
      windlass hold prod --reason "month-end closing"
      windlass hold prod --project digits --release v1.2.0 --reason "reads sevens as ones"
    """
    from windlass.cli import console, delivering
    from windlass.delivery.plan.shown import one_line
    from windlass.delivery.promotion.holds import find_hold, set_hold
    from windlass.spec.environment import find_environment

    all_environments = context.environments(environments_dir)
    environment = find_environment(all_environments, name)
    project = context.project(project_given)
    place = delivering.place(environment)
    digest = delivering.release_meant(all_environments, environment, project, release) if release else None
    settings = context.runtime_settings(environment)
    swap = set_hold(place, settings, project, digest, delivering.author(reason), progress=console.step)
    hold = find_hold(swap.state, project, digest)
    assert hold is not None
    if as_json:
        console.print_json({"hold": hold.model_dump(mode="json"), "changed": swap.changed, "state": swap.state.name})
    else:
        console.say(f"{name}: {one_line(hold.describe())}{'' if swap.changed else '; nothing to do'}")
