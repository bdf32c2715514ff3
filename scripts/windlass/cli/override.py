"""`windlass override`: gives one's own word that a release may pass a gate all the same."""

import click

from windlass.cli import context
from windlass.cli.reason import check_reason


@click.command("override", short_help="Record your word that a release may pass the gate of ENV.")
@click.argument("name", metavar="ENV")
@click.option("--release", "digest", metavar="DIGEST", help="The release by its name, at least 8 digits.")
@click.option("--commit", metavar="COMMIT", help="The release of this commit.  [default: CI_COMMIT_SHA, HEAD]")
@click.option("--tag", metavar="TAG", help="The release of this tag.")
@click.option(
    "--reason",
    metavar="TEXT",
    required=True,
    callback=check_reason,
    help="Why, for the decision and for who reads it.",
)
@context.environments_option
@context.project_option
@context.json_option
def command(
    name: str,
    digest: str | None,
    commit: str | None,
    tag: str | None,
    reason: str,
    environments_dir: str | None,
    project_given: str | None,
    as_json: bool,
) -> None:
    """Record that you want one release to pass the gate of ENV although approvals, time or a freeze stand against it.

    It takes as many different people as `gate.override` says, each of one of its roles, and each by this command: in a
    job of their own, or on a laptop with a GitLab token of their own. Their word counts for this release, for the time
    that `for` says. Where commit and tag are, holds, and models that are worse than the live ones nobody overrides.

    \b
    Examples:
      windlass override prod --tag v1.2.1 --reason "the fix for the outage of this morning"
    """
    from windlass.cli import console, delivering, gate_people
    from windlass.delivery.gate.overrides import keep_override, load_overrides
    from windlass.spec.environment import find_environment

    all_environments = context.environments(environments_dir)
    environment = find_environment(all_environments, name)
    project = context.project(project_given)
    source = delivering.place(find_environment(all_environments, environment.upstream or name))
    release = delivering.published(source, project, digest, commit, tag).release
    override = gate_people.own_override(environment, project, release, reason)
    place = delivering.place(environment)
    key = keep_override(place, override)
    people = sorted({one.person for one in load_overrides(place, project, release)})
    if as_json:
        console.print_json({"override": override.model_dump(mode="json"), "key": key, "people": people})
    else:
        console.say(f"{name}: {override.person} overrides the gate for release {release[:12]} of {project}")
        console.say(f"  recorded for it so far: {', '.join(people)}")
