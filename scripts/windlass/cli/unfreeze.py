"""`windlass unfreeze`: lets promotions into an environment again."""

import click

from windlass.cli import context
from windlass.cli.reason import policy_moved_option, reason_option


@click.command("unfreeze")
@click.argument("name", metavar="ENV")
@reason_option
@policy_moved_option
@context.environments_option
@context.json_option
def command(name: str, reason: str | None, moved: str | None, environments_dir: str | None, as_json: bool) -> None:
    """Take back what `windlass freeze` did. Holds and the freeze windows of the gate stay.

    Where ENV has a gate, it takes somebody of a role, by GitLab's word.

    \b
    Examples:
      windlass unfreeze prod --reason "the warehouse is where it should be"
    """
    from windlass.cli import console, delivering, gate_people
    from windlass.delivery.history.states import load_current
    from windlass.delivery.promotion.freeze import unfreeze
    from windlass.spec.environment import find_environment

    environment = find_environment(context.environments(environments_dir), name)
    place = delivering.place(environment)
    if load_current(place.code, place.prefix).state is None:
        if as_json:
            console.print_json({"changed": False, "state": None})
        else:
            console.say(f"{name}: nothing was promoted there, and it is not frozen")
        return
    swap = unfreeze(place, gate_people.who_lets_in(environment, reason, moved), progress=console.step)
    if as_json:
        console.print_json({"changed": swap.changed, "state": swap.state.name})
    else:
        console.say(f"{name}: {'promotions may come again' if swap.changed else 'it is not frozen; nothing to do'}")
