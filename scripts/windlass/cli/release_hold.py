"""`windlass release-hold`: takes a hold away, so that the project or the release may be promoted again."""

import click

from windlass.cli import context
from windlass.cli.reason import reason_option


@click.command("release-hold", short_help="Take a hold back.")
@click.argument("name", metavar="ENV")
@click.option("--release", "release", metavar="RELEASE", help="The hold on this release: a tag, a commit or a digest.")
@reason_option
@context.environments_option
@context.project_option
@context.json_option
def command(
    name: str,
    release: str | None,
    reason: str | None,
    environments_dir: str | None,
    project_given: str | None,
    as_json: bool,
) -> None:
    """Take the hold on the project, or the one on RELEASE, away from ENV.

    Without --release only the hold on the whole project goes; those on single releases are listed and stay. Without
    such a hold nothing changes.

    \b
    Examples:
      windlass release-hold prod
      windlass release-hold prod --release v1.2.0 --reason "the sevens are fixed upstream"
    """
    from windlass.cli import console, delivering
    from windlass.delivery.history.states import load_current
    from windlass.delivery.plan.shown import one_line
    from windlass.delivery.promotion.holds import take_hold_away
    from windlass.spec.environment import find_environment

    all_environments = context.environments(environments_dir)
    environment = find_environment(all_environments, name)
    project = context.project(project_given)
    place = delivering.place(environment)
    if load_current(place.code, place.prefix).state is None:
        if as_json:
            console.print_json({"changed": False, "state": None, "holds": []})
        else:
            console.say(f"{name}: nothing was promoted there, and nothing is on hold")
        return
    digest = delivering.release_meant(all_environments, environment, project, release) if release else None
    swap = take_hold_away(place, project, digest, delivering.author(reason), progress=console.step)
    rest = [hold for hold in swap.state.holds if hold.project == project]
    if as_json:
        left = [hold.model_dump(mode="json") for hold in rest]
        console.print_json({"changed": swap.changed, "state": swap.state.name, "holds": left})
        return
    what = f"release {digest[:12]} of {project}" if digest else project
    console.say(f"{name}: {what} {'may be promoted again' if swap.changed else 'is not on hold; nothing to do'}")
    for hold in rest:
        console.say(f"  still: {one_line(hold.describe())}")
