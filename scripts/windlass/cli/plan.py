"""`windlass plan`: says what a promotion would change, and changes nothing."""

import click

from windlass.cli import context


@click.command("plan")
@click.option("--to", "to", metavar="ENV", required=True, help="The environment that would change.")
@click.option("--commit", metavar="COMMIT", help="The release of this commit instead of the working tree.")
@context.environments_option
@context.project_option
@context.json_option
def command(
    to: str, commit: str | None, environments_dir: str | None, project_given: str | None, as_json: bool
) -> None:
    """Show what a promotion to ENV would change.

    Without --commit the release is built in memory from the working tree, so a merge request sees what merging it
    would do. Exits with 0 when nothing would change, 1 when something would (or lint finds problems), 2 when a gate
    forbids it.

    \b
    Examples:
      windlass plan --to dev
      windlass plan --to prod --commit 1a2b3c4d
      windlass plan --to stage --json
    """
    from windlass.cli import console, delivering
    from windlass.cli.building import build_here
    from windlass.delivery.archive import read_archive
    from windlass.delivery.plan import Origin
    from windlass.delivery.survey import deciding_promotion, load_release, plan_now
    from windlass.spec.environment import find_environment

    all_environments = context.environments(environments_dir)
    environment = find_environment(all_environments, to)
    project = context.project(project_given)
    target = delivering.place(environment)
    settings = context.runtime_settings(environment)
    if commit:
        upstream = find_environment(all_environments, environment.upstream or to)
        source = delivering.place(upstream)
        record = delivering.published(source, project, None, commit, None)
        release = load_release(source, project, record.release)
        origin = Origin(record.commit, record.tag, record.project_url)
        gated = delivering.is_gated(environment, upstream)
        decide = deciding_promotion(source, target, settings, release, origin, gated=gated)
    else:
        source = delivering.place(context.first(all_environments))
        archive = build_here(project, environments_dir, all_environments)
        release = read_archive(project, archive.digest, archive.content)
        here = delivering.commit_here()
        origin = Origin(here, delivering.tag_here(here))
        decide = deciding_promotion(source, target, settings, release, origin, trained=False)
    plan = plan_now(target, decide)
    if as_json:
        console.print_json(plan.as_json())
    else:
        for line in plan.describe():
            console.say(line)
    click.get_current_context().exit(2 if plan.refusals else 0 if plan.is_done else 1)
