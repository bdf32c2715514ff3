"""`windlass rollback`: puts a project in an environment back to a release that was live there before."""

import click

from windlass.cli import context


@click.command("rollback")
@click.argument("name", metavar="ENV")
@click.option("--to", "to", metavar="RELEASE", default="previous", show_default=True, help="Which release, see above.")
@click.option("--reason", metavar="TEXT", help="Why, for the ledger.")
@click.option("--no-verify", is_flag=True, help="Do not wait for Airflow to show the release.")
@context.environments_option
@context.project_option
@context.json_option
def command(
    name: str,
    to: str,
    reason: str | None,
    no_verify: bool,
    environments_dir: str | None,
    project_given: str | None,
    as_json: bool,
) -> None:
    """Put the project in ENV back to an earlier release, in one swap.

    RELEASE is a tag, a commit or the beginning of a digest that was live in ENV, or `previous`: what the last
    promotion replaced. Asking for `previous` again after a rollback changes nothing. Everything that is needed is in
    ENV already: nothing is built or copied, and gates do not hold it up. Runs that have begun go on with the version
    they began with.

    \b
    Examples:
      windlass rollback prod
      windlass rollback prod --to v1.1.0 --reason "scores drift"
      windlass rollback stage --to 3f9a1c22 --no-verify
    """
    from windlass.cli import console, delivering
    from windlass.delivery.find import lived
    from windlass.delivery.perform import perform
    from windlass.delivery.plan import Origin
    from windlass.delivery.survey import deciding_rollback, load_release
    from windlass.spec.environment import find_environment

    environment = find_environment(context.environments(environments_dir), name)
    project = context.project(project_given)
    place = delivering.place(environment)
    earlier = lived(place, project, to)
    release = load_release(place, project, earlier.release)
    origin = Origin(earlier.commit, earlier.tag, earlier.url)
    decide = deciding_rollback(place, context.runtime_settings(environment), release, origin)
    outcome = perform(decide, place, place, delivering.author(reason), progress=console.step)
    if not as_json:
        for line in outcome.plan.describe():
            console.say(line)
    api = None if no_verify else delivering.airflow(environment)
    seen = delivering.verified(api, environment, place, outcome.state, project) if api else None
    if as_json:
        result = {**outcome.plan.as_json(), "changed": outcome.changed, "state": outcome.state.name}
        console.print_json({**result, "verified": delivering.seen_as_json(seen)})
    elif seen:
        delivering.say_seen(name, seen)
