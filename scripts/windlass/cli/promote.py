"""`windlass promote`: lifts a release, with its models, from the environment before into an environment."""

from functools import partial

import click

from windlass.cli import context
from windlass.cli.reason import policy_moved_option


@click.command("promote", short_help="Make a release live in ENV, and wait until Airflow shows it.")
@click.option("--to", "to", metavar="ENV", required=True, help="The environment to change.")
@click.option("--release", "digest", metavar="DIGEST", help="The release by its name, at least 8 digits.")
@click.option("--commit", metavar="COMMIT", help="The release of this commit.  [default: CI_COMMIT_SHA, HEAD]")
@click.option("--tag", metavar="TAG", help="The release of this tag, and the tag to record.")
@policy_moved_option
@click.option("--no-verify", is_flag=True, help="Do not wait for Airflow to show the release.")
@context.environments_option
@context.project_option
@context.json_option
def command(
    to: str,
    digest: str | None,
    commit: str | None,
    tag: str | None,
    moved: str | None,
    no_verify: bool,
    environments_dir: str | None,
    project_given: str | None,
    as_json: bool,
) -> None:
    """Make a release live in ENV, and wait until its Airflow shows it.

    The release and its models are taken, the very same bytes, from the environment that ENV names as upstream; in the
    first environment it is what `windlass release` published there. Gates are checked against what is live in ENV, no
    hold of ENV may stand against it, and in the environment before the release's verdict must be `pass`. The
    `gate` of ENV is asked as it stands on the protected branch (`windlass gate` shows it), and its decision is kept.
    Whose branch that is stays the same; where the platform moved to another server or repository, say so once with
    --policy-moved and the reason.
    A promotion that was interrupted is finished by the same command; one that is done already changes nothing. Where
    ENV has `bundle: plain`, the files below dags/ follow, and files that are missing or altered there are put right.

    The verification ends in a verdict that is recorded: `pass`; `fail` (exit code 2), after which ENV goes back by
    itself where `verify.on_failure` says so, with a hold on the release; or `inconclusive` (75, or 3 where a service
    refused): nothing is known about the release then, and the same command tries again. --no-verify leaves no verdict.

    \b
    Examples:
      windlass promote --to dev
      windlass promote --to prod --tag v1.2.0
      windlass promote --to stage --release 3f9a1c22
    """
    from windlass.cli import console, delivering, gating
    from windlass.cli.afterwards import Delivered, changed_by, tell_gitlab, tell_gitlab_back
    from windlass.delivery.plan.plan import Origin
    from windlass.delivery.promotion.perform import perform
    from windlass.delivery.promotion.survey import deciding_promotion, load_release
    from windlass.delivery.release.find import require_lived
    from windlass.spec.environment import find_environment

    all_environments = context.environments(environments_dir)
    environment = find_environment(all_environments, to)
    upstream = find_environment(all_environments, environment.upstream or to)
    project = context.project(project_given)
    target = delivering.place(environment)
    source = delivering.place(upstream) if environment.upstream else target
    record = delivering.published(source, project, digest, commit, tag)
    if environment.upstream:
        require_lived(source, project, record.release)
    api = None if no_verify else delivering.airflow(environment)
    if api and (problem := api.processor_problem()):  # an Airflow that is away is found before anything changes
        console.warn(f"Airflow of {to}: {problem}")
    release = load_release(source, project, record.release)
    origin = Origin(record.commit, tag or delivering.tag_here(record.commit) or record.tag, record.project_url)
    gated = delivering.is_gated(environment, upstream)
    settings = context.runtime_settings(environment)
    gate = gating.gatekeeper(environment, upstream, moved=moved)
    ask = gate.ask if gate else None
    decide = deciding_promotion(source, target, settings, release, origin, gated=gated, ask=ask)
    outcome = perform(decide, source, target, gating.author(gate), progress=console.step)
    if not as_json:
        for line in outcome.plan.describe():
            console.say(line)
        gating.say_passed(environment.prefix, outcome.plan.decision)
        delivering.say_laid_out(outcome.laid_out)
    conclusion = None
    if api:
        conclusion = delivering.concluded(api, environment, target, outcome.state, project, may_go_back=True)
    if as_json:
        result = {**outcome.plan.as_json(), "changed": outcome.changed, "state": outcome.state.name}
        result |= gating.passed_as_json(environment.prefix, outcome.plan.decision)
        laid_out = delivering.laid_out_as_json(outcome.laid_out)
        console.print_json({**result, **laid_out, **delivering.verdict_as_json(conclusion)})
    elif conclusion:
        delivering.say_verdict(to, conclusion)
    elif not no_verify:
        console.warn(f"environments/{to}.yml names no airflow: nobody looked whether it shows the release")
    if conclusion and conclusion.back:
        tell_gitlab_back(conclusion.back.state, to, [project])
    if conclusion:
        delivering.stop_unless_passed(to, conclusion)
    is_last = not any(other.upstream == environment.name for other in all_environments.values())
    changed = partial(changed_by, deciding_promotion(source, target, settings, release, origin), outcome, target)
    tell_gitlab(Delivered(outcome, release, changed, is_last=is_last, is_verified=conclusion is not None))
