"""`windlass plan`: says what a promotion would change, and changes nothing."""

from typing import TYPE_CHECKING

import click

from windlass.cli import context

if TYPE_CHECKING:
    from windlass.delivery.plan.needs import Offer
    from windlass.delivery.plan.plan import Plan
    from windlass.spec.environment import Environment
    from windlass.spec.release import Requires


@click.command("plan")
@click.option("--to", "to", metavar="ENV", required=True, help="The environment that would change.")
@click.option("--tag", metavar="TAG", help="The release with this tag instead of the working tree.")
@click.option("--commit", metavar="COMMIT", help="The release of this commit instead of the working tree.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the plan as Markdown for a merge request.")
@click.option("--out", metavar="DIR", help="Also write plan.md, .json, .html and terraform.json to DIR.")
@click.option("--note", is_flag=True, help="Also put the plan into this pipeline's merge request.")
@context.environments_option
@context.project_option
@context.json_option
def command(
    to: str,
    tag: str | None,
    commit: str | None,
    as_markdown: bool,
    out: str | None,
    note: bool,
    environments_dir: str | None,
    project_given: str | None,
    as_json: bool,
) -> None:
    """Show what a promotion to ENV would change.

    Pipelines are compared task by task and field by field with what is live in ENV, models with their metrics, and
    what the release needs (flavors, images, connections, variables, pools) with what ENV declares and its Airflow has.
    Every change is classed: breaking, behaviour or cosmetic.

    With --note the plan is one note of the merge request, which each pipeline writes again in its place; it needs
    WINDLASS_GITLAB_TOKEN with the scope api, and without it one line says so.

    Without --tag and --commit the release is built in memory from the working tree, so a merge request sees what
    merging it would do. Exits with 0 when nothing would change, 1 when something would (or lint finds problems), 2
    when a gate forbids it.

    \b
    Examples:
      windlass plan --to dev
      windlass plan --to prod --tag v1.2.0
      windlass plan --to stage --markdown
      windlass plan --to stage --json
      windlass plan --to dev --out plans --note
    """
    from windlass.cli import console, plan_forms
    from windlass.cli.change_lines import say_changes
    from windlass.delivery.plan.lines import plan_markdown

    if as_json and as_markdown:
        raise click.UsageError("--json and --markdown are two forms of one result: give one of them")
    plan = _plan(to, tag, commit, environments_dir, project_given)
    if out:
        plan_forms.write_files(plan, out)
    if as_json:
        console.print_json(plan.as_json())
    elif as_markdown:
        click.echo(plan_markdown(plan), nl=False)
    else:
        say_changes(plan.describe())
    if note:
        plan_forms.tell_merge_request(plan, out)
    click.get_current_context().exit(2 if plan.refusals else 0 if plan.is_done else 1)


def _plan(
    to: str, tag: str | None, commit: str | None, environments_dir: str | None, project_given: str | None
) -> "Plan":
    from datetime import UTC, datetime

    from windlass.adapters import git
    from windlass.cli import console, delivering
    from windlass.cli.building import build_here
    from windlass.delivery.plan.plan import Origin
    from windlass.delivery.promotion.survey import deciding_promotion, load_release, plan_now
    from windlass.delivery.release.archive import read_archive
    from windlass.spec.environment import find_environment

    all_environments = context.environments(environments_dir)
    environment = find_environment(all_environments, to)
    project = context.project(project_given)
    target = delivering.place(environment)
    settings = context.runtime_settings(environment)
    if tag or commit:
        upstream = find_environment(all_environments, environment.upstream or to)
        source = delivering.place(upstream)
        record = delivering.published(source, project, None, commit, tag)
        release = load_release(source, project, record.release)
        origin = Origin(record.commit, record.tag, record.project_url)
        gated = delivering.is_gated(environment, upstream)
    else:
        source = delivering.place(context.first(all_environments))
        archive = build_here(project, environments_dir, all_environments)
        release = read_archive(project, archive.digest, archive.content)
        here = delivering.commit_here()
        if not git.is_clean(context.project_folder()):
            console.step(f"this is the plan of the files here, which differ from commit {here[:12]}")
        origin = Origin(here, delivering.tag_here(here))
        gated = False
    offer, now = _offer(environment, release.manifest.requires), datetime.now(UTC)
    decide = deciding_promotion(
        source, target, settings, release, origin, trained=bool(tag or commit), gated=gated, offer=offer, now=now
    )
    return plan_now(target, decide)


def _offer(environment: "Environment", requires: "Requires") -> "Offer":
    """What the environment declares, and what its Airflow has: asked only where the release needs something of it."""
    import os

    from windlass.adapters.airflow_settings import AirflowSettingsApi
    from windlass.delivery.plan.needs import Offer, declared_by
    from windlass.spec.environment import resolve
    from windlass.spec.errors import WindlassError

    declared = declared_by(environment)
    if not (requires.connections or requires.variables or requires.pools):
        return Offer(declared)
    if environment.airflow is None:
        return Offer(declared, unasked=f"environments/{environment.name}.yml names no airflow")
    try:
        settings = resolve(environment.airflow, os.environ, f"environments/{environment.name}.yml: airflow")
        return Offer(declared, frozenset(AirflowSettingsApi(settings, environment.name).read()))
    except WindlassError as error:  # a merge request has no right to ask, and the plan is worth showing without
        return Offer(declared, unasked=f"what the Airflow of {environment.name} has: {error}")
