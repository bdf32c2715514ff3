"""`windlass status`: what is live in each environment, read from S3 alone."""

from typing import TYPE_CHECKING, Any

import click

from windlass.cli import console, context

if TYPE_CHECKING:
    from windlass.spec.state import State


@click.command("status")
@click.argument("names", metavar="[ENV]...", nargs=-1)
@context.environments_option
@context.json_option
def command(names: tuple[str, ...], environments_dir: str | None, as_json: bool) -> None:
    """Show which release of each project is live in each ENV, or in all environments.

    \b
    Examples:
      windlass status
      windlass status prod
      windlass status --json
    """
    from windlass.delivery.states import load_current
    from windlass.spec.environment import find_environment

    all_environments = context.environments(environments_dir)
    states: dict[str, State | None] = {}
    for name in names or all_environments:
        environment = find_environment(all_environments, name)
        states[name] = load_current(context.store(environment, "code"), environment.prefix).state
    if as_json:
        console.print_json([_as_json(name, state) for name, state in states.items()])
    else:
        _print(states)


def _as_json(name: str, state: "State | None") -> dict[str, Any]:
    if state is None:
        return {"environment": name, "state": None, "projects": {}, "deployment": None}
    projects = {project: live.model_dump(mode="json") for project, live in state.projects.items()}
    deployment = state.deployment.model_dump(mode="json")
    return {"environment": name, "state": state.name, "projects": projects, "deployment": deployment}


def _print(states: "dict[str, State | None]") -> None:
    table = console.table("environment", "state", "project", "tag", "commit", "release", "models")
    for name, state in states.items():
        if state is None:
            table.add_row(name, "-", "nothing was promoted yet")
            continue
        for number, (project, live) in enumerate(sorted(state.projects.items())):
            models = ", ".join(f"{model} {version}" for model, version in live.models.items())
            first = (name, state.name) if number == 0 else ("", "")
            table.add_row(*first, project, live.tag or "-", live.commit[:8], live.release[:12], models or "-")
    console.out.print(table)
