"""`windlass rollback`: puts a project, or a whole environment, back to what was live there before."""

from typing import TYPE_CHECKING

import click

from windlass.cli import context
from windlass.cli.reason import reason_option

if TYPE_CHECKING:
    from windlass.delivery.place import Place
    from windlass.spec.environment import Environment
    from windlass.spec.state import State


@click.command("rollback", short_help="Put ENV back to an earlier release, in one swap.")
@click.argument("name", metavar="ENV")
@click.option("--to", "to", metavar="RELEASE", default="previous", show_default=True, help="Which release, see above.")
@click.option("--all", "everything", is_flag=True, help="The whole environment; --to names a state then.")
@reason_option
@click.option("--no-verify", is_flag=True, help="Do not wait for Airflow to show the release.")
@context.environments_option
@context.project_option
@context.json_option
def command(
    name: str,
    to: str,
    everything: bool,
    reason: str | None,
    no_verify: bool,
    environments_dir: str | None,
    project_given: str | None,
    as_json: bool,
) -> None:
    """Put the project in ENV back to an earlier release, in one swap.

    RELEASE is a tag, a commit or the beginning of a digest that was live in ENV, or `previous`: what the last
    promotion replaced. Asking for `previous` again after a rollback changes nothing. Everything that is needed is in
    ENV already: nothing is built or copied, and neither gates nor holds stop it. Runs that have begun go on with the
    version they began with; where ENV has `bundle: plain`, the files below dags/ follow and such runs see them.

    With --all every project of ENV and its settings go back at once, in one swap, to what was live in a state: its
    serial, its name as `windlass history` shows it, or `previous`. Holds stay.

    \b
    Examples:
      windlass rollback prod
      windlass rollback prod --to v1.1.0 --reason "scores drift"
      windlass rollback stage --to 3f9a1c22 --no-verify
      windlass rollback prod --all --to 41
    """
    from windlass.cli import console, delivering
    from windlass.delivery.plan.plan import Origin
    from windlass.delivery.promotion.go_back import go_back
    from windlass.delivery.promotion.perform import perform
    from windlass.delivery.promotion.survey import deciding_rollback, load_release
    from windlass.delivery.release.find import lived, state_meant
    from windlass.spec.environment import find_environment

    environment = find_environment(context.environments(environments_dir), name)
    place = delivering.place(environment)
    author = delivering.author(reason)
    if everything:
        back, swap = go_back(place, state_meant(place, to), author, progress=console.step)
        lines, state = back.describe(), swap.state
        result = {**back.as_json(), "changed": swap.changed, "state": state.name}
        laid_out = swap.laid_out
        projects = sorted(back.live.projects.keys() | back.earlier.projects.keys())
    else:
        project = context.project(project_given)
        earlier = lived(place, project, to)
        release = load_release(place, project, earlier.release)
        origin = Origin(earlier.commit, earlier.tag, earlier.url)
        decide = deciding_rollback(place, context.runtime_settings(environment), release, origin)
        outcome = perform(decide, place, place, author, progress=console.step)
        lines, state, projects = outcome.plan.describe(), outcome.state, [project]
        result = {**outcome.plan.as_json(), "changed": outcome.changed, "state": state.name}
        laid_out = outcome.laid_out
    result |= delivering.laid_out_as_json(laid_out)
    lines += [f"  {laid_out.describe()}"] if laid_out else []
    _report(environment, place, state, projects, lines, result, as_json=as_json, no_verify=no_verify)


def _report(
    environment: "Environment",
    place: "Place",
    state: "State",
    projects: list[str],
    lines: list[str],
    result: dict[str, object],
    *,
    as_json: bool,
    no_verify: bool,
) -> None:
    """Says what was done, to GitLab too, and whether Airflow shows it; stops with the first verdict but `pass`."""
    from windlass.cli import console, delivering
    from windlass.cli.afterwards import tell_gitlab_back

    if not as_json:
        for line in lines:
            console.say(line)
    api = None if no_verify else delivering.airflow(environment)
    concluded = {project: delivering.concluded(api, environment, place, state, project) for project in projects if api}
    if as_json:
        verdicts = {
            project: delivering.verdict_as_json(conclusion)["verdict"] for project, conclusion in concluded.items()
        }
        console.print_json({**result, "verdicts": verdicts})
    for conclusion in concluded.values():
        if not as_json:
            delivering.say_verdict(environment.name, conclusion)
    tell_gitlab_back(state, environment.name, projects)
    for conclusion in concluded.values():
        delivering.stop_unless_passed(environment.name, conclusion)
