"""`windlass verify`: waits until an environment's Airflow shows what is live there."""

import click

from windlass.cli import context


@click.command("verify", short_help="Check that the Airflow of ENV shows what is live there.")
@click.argument("name", metavar="ENV")
@context.environments_option
@context.project_option
@context.json_option
def command(name: str, environments_dir: str | None, project_given: str | None, as_json: bool) -> None:
    """Check that the Airflow of ENV shows the project as it is live there.

    Waits, at most as long as `verify.timeout` of the environment says, until Airflow reports each DAG of the project
    at the live version (or at an earlier one under which this DAG was the same), without import errors, and reports
    the DAGs that the release no longer holds as gone. Then begins the smoke run that `verify.run` names, or finds again
    the one that it began before, and waits for its success and its file.

    The verdict about the release in ENV is recorded, and the next environment asks for it: `pass`; `fail` (exit code
    2) takes it away until the next `pass`; `inconclusive` (75, or 3 where a service refused) changes nothing. This
    command never rolls back: `promote` does, where `verify.on_failure` says so, and `rollback` does for you.

    \b
    Examples:
      windlass verify stage
      windlass verify prod --project digits --json
    """
    from windlass.cli import console, delivering
    from windlass.delivery.history.states import load_current
    from windlass.spec.environment import find_environment
    from windlass.spec.errors import DeliveryError, WindlassError

    environment = find_environment(context.environments(environments_dir), name)
    project = context.project(project_given)
    place = delivering.place(environment)
    state = load_current(place.code, place.prefix).state
    if state is None or project not in state.projects:
        raise DeliveryError(f"{project} was never promoted to {name}; there is nothing to verify")
    api = delivering.airflow(environment)
    if api is None:
        raise WindlassError(f"environments/{name}.yml names no airflow; write its url, username and password")
    conclusion = delivering.concluded(api, environment, place, state, project)
    if as_json:
        console.print_json(delivering.verdict_as_json(conclusion)["verdict"])
    else:
        delivering.say_verdict(name, conclusion)
    delivering.stop_unless_passed(name, conclusion)
