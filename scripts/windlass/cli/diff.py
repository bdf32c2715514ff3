"""`windlass diff`: says what differs between two points in the life of environments, and changes nothing."""

from typing import TYPE_CHECKING

import click

from windlass.cli import context

if TYPE_CHECKING:
    from windlass.delivery.plan.points import Point


@click.command("diff", short_help="Show what differs between two points.")
@click.argument("before", metavar="POINT")
@click.argument("after", metavar="POINT")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the difference as Markdown for a merge request.")
@context.environments_option
@click.option("--project", "project_given", metavar="NAME", help="Compare this project alone.  [default: all]")
@context.json_option
def command(
    before: str,
    after: str,
    as_markdown: bool,
    environments_dir: str | None,
    project_given: str | None,
    as_json: bool,
) -> None:
    """Show what differs between two points, in the words of `windlass plan`.

    A POINT is ENV (what is live there now), ENV@SERIAL or a state's name (ENV@41-3f9a1c22aabb: all that was live then),
    or ENV@TAG, ENV@COMMIT or ENV@DIGEST: one release that was live there, of --project or the project here; then only
    that project is compared. Next runs are those after now. Exits with 0 when both hold the same, 1 when they differ.

    \b
    Examples:
      windlass diff prod@v12 prod@v13
      windlass diff stage prod
      windlass diff prod@3 prod --project digits --json
    """
    from datetime import UTC, datetime

    from windlass.cli import console, delivering
    from windlass.cli.change_lines import say_changes
    from windlass.delivery.plan.points import compare_points, load_point, split_point
    from windlass.spec.environment import find_environment

    if as_json and as_markdown:
        raise click.UsageError("--json and --markdown are two forms of one result: give one of them")
    all_environments = context.environments(environments_dir)
    wanted = context.project(project_given) if project_given else None

    def point(given: str) -> "Point":
        environment, name = split_point(given)
        place = delivering.place(find_environment(all_environments, environment))
        return load_point(given, place, name, lambda: wanted or context.project(None))

    difference = compare_points(point(before), point(after), wanted, datetime.now(UTC))
    if as_json:
        console.print_json(difference.as_json())
    elif as_markdown:
        click.echo(difference.as_markdown(), nl=False)
    else:
        say_changes(difference.describe())
    click.get_current_context().exit(0 if difference.impact is None else 1)
