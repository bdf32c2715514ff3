"""`windlass freeze`: stops the line: nothing of any project is promoted to an environment."""

import click

from windlass.cli import context
from windlass.cli.reason import stop_reason_option


@click.command("freeze", short_help="Keep every promotion out of ENV.")
@click.argument("name", metavar="ENV")
@stop_reason_option
@context.environments_option
@context.json_option
def command(name: str, reason: str, environments_dir: str | None, as_json: bool) -> None:
    """Let nothing of any project be promoted to ENV until `windlass unfreeze`.

    What is live stays live, and a rollback is always allowed. Where ENV has a gate, anyone of a role may do this, and
    it is done all the same while GitLab is away. `windlass hold` stops one project, or one release of it.

    \b
    Examples:
      windlass freeze prod --reason "the warehouse is being moved"
    """
    from windlass.cli import console, delivering, gate_people
    from windlass.delivery.promotion.freeze import freeze
    from windlass.spec.environment import find_environment

    environment = find_environment(context.environments(environments_dir), name)
    author = gate_people.who_stops(environment, reason)
    settings = context.runtime_settings(environment)
    swap = freeze(delivering.place(environment), settings, author, progress=console.step)
    frozen = swap.state.frozen
    assert frozen is not None
    if as_json:
        console.print_json(
            {"frozen": frozen.model_dump(mode="json"), "changed": swap.changed, "state": swap.state.name}
        )
    else:
        more = "" if swap.changed else f"; it was already, by {frozen.actor or 'unknown'}"
        console.say(f"{name} is frozen: {frozen.reason}{more}")
