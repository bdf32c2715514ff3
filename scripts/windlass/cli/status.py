"""`windlass status`: what is live in each environment, read from S3 alone."""

from typing import TYPE_CHECKING, Any

import click

from windlass.cli import console, context

if TYPE_CHECKING:
    from windlass.spec.state import State
    from windlass.spec.verdict import Verdict

Verdicts = dict[tuple[str, str], "Verdict | None"]
"""The verdict that counts, by environment and project."""


@click.command("status")
@click.argument("names", metavar="[ENV]...", nargs=-1)
@context.environments_option
@context.json_option
def command(names: tuple[str, ...], environments_dir: str | None, as_json: bool) -> None:
    """Show which release of each project is live in each ENV, or in all environments.

    Beside it the verdict that counts about the release there, and the holds that keep projects or releases out.

    \b
    Examples:
      windlass status
      windlass status prod
      windlass status --json
    """
    from windlass.cli import delivering
    from windlass.delivery.states import load_current
    from windlass.delivery.verdicts import load_verdicts
    from windlass.spec.environment import find_environment

    all_environments = context.environments(environments_dir)
    states: dict[str, State | None] = {}
    verdicts: Verdicts = {}
    for name in names or all_environments:
        place = delivering.place(find_environment(all_environments, name))
        states[name] = state = load_current(place.code, place.prefix).state
        for project, live in sorted(state.projects.items()) if state else []:
            verdicts[name, project] = load_verdicts(place, project, live.release).decisive
    if as_json:
        console.print_json([_as_json(name, state, verdicts) for name, state in states.items()])
    else:
        _print(states, verdicts)


def _as_json(name: str, state: "State | None", verdicts: Verdicts) -> dict[str, Any]:
    if state is None:
        return {"environment": name, "state": None, "projects": {}, "deployment": None, "holds": [], "verdicts": {}}
    found = {project: verdicts[name, project] for project in state.projects}
    return {
        "environment": name,
        "state": state.name,
        "projects": {project: live.model_dump(mode="json") for project, live in state.projects.items()},
        "deployment": state.deployment.model_dump(mode="json"),
        "holds": [hold.model_dump(mode="json") for hold in state.holds],
        "verdicts": {project: one.model_dump(mode="json") if one else None for project, one in found.items()},
    }


def _print(states: "dict[str, State | None]", verdicts: Verdicts) -> None:
    table = console.table("environment", "state", "project", "tag", "commit", "release", "verdict", "models")
    for name, state in states.items():
        if state is None:
            table.add_row(name, "-", "nothing was promoted yet")
            continue
        for number, (project, live) in enumerate(sorted(state.projects.items())):
            models = ", ".join(f"{model} {version}" for model, version in live.models.items())
            first = (name, state.name) if number == 0 else ("", "")
            verdict = verdicts[name, project]
            said = verdict.result if verdict else "-"
            table.add_row(*first, project, live.tag or "-", live.commit[:8], live.release[:12], said, models or "-")
    console.out.print(table)
    for name, state in states.items():
        for hold in state.holds if state else []:
            console.say(f"{name}: {hold.describe()}")
