"""`windlass gate`: shows whether a release may come into an environment, and judges again what was decided before."""

from collections.abc import Sequence

import click

from windlass.cli import context


@click.command("gate", short_help="Show whether a release may come into ENV now, and why.")
@click.option("--to", "to", metavar="ENV", help="The environment whose gate is asked.")
@click.option("--release", "digest", metavar="DIGEST", help="The release by its name, at least 8 digits.")
@click.option("--commit", metavar="COMMIT", help="The release of this commit.  [default: CI_COMMIT_SHA, HEAD]")
@click.option("--tag", metavar="TAG", help="The release of this tag.")
@click.option(
    "--merge-request",
    "iid",
    metavar="IID",
    type=click.IntRange(min=1),
    help="An open merge request, before there is a release.  [default in its pipelines: CI_MERGE_REQUEST_IID]",
)
@click.option("--replay", metavar="FILE|KEY", help="Judge this decision again, without asking anybody.")
@context.environments_option
@context.project_option
@context.json_option
def command(
    to: str | None,
    digest: str | None,
    commit: str | None,
    tag: str | None,
    iid: int | None,
    replay: str | None,
    environments_dir: str | None,
    project_given: str | None,
    as_json: bool,
) -> None:
    """Show whether a release may come into ENV now, and all that was looked at; nothing is changed.

    `windlass promote` asks the same by itself. What `gate` in environments/ENV.yml, roles.yml and CODEOWNERS say is
    read from the protected default branch of the repository that owns them, approvals and tags from GitLab. The exit
    code is 0 where the release would pass and 2 where not, with a sentence for each reason.

    With --merge-request it is asked already what stands against the release that this merge request would bring: who
    approved it after its last push, by roles, path rules and critical pipelines of the files here and of what is live.
    What can only be said of a release, like its tag and its time to soak, is named as asked later. The exit codes are
    the same; nothing is kept.

    With --replay the decision in FILE, or under KEY in the code bucket of its environment, is judged again from the
    policy and the evidence that it holds: offline, and with an error where a byte of it was altered.

    \b
    Examples:
      windlass gate --to prod
      windlass gate --to prod --tag v1.2.0 --json
      windlass gate --to prod --merge-request 7
      windlass gate --replay decision.json
    """
    from windlass.cli import gate_view
    from windlass.cli.gate_ahead import merge_request_here, outlook_now
    from windlass.cli.gate_now import decision_now
    from windlass.spec.errors import DeliveryError, WindlassError

    if replay is not None:
        replayed = gate_view.replayed(replay, environments_dir)
        gate_view.show_replay(replayed, as_json=as_json)
        if not replayed.is_same:
            raise DeliveryError(f"{replay}: this windlass comes to another answer than was kept")
        return
    if to is None:
        raise WindlassError("name the environment whose gate is asked: --to ENV, or a decision: --replay FILE")
    is_release = any(one is not None for one in (digest, commit, tag))
    if is_release and iid is not None:
        raise click.UsageError("--merge-request asks before there is a release: give it, or a release")
    number = iid if is_release or iid is not None else merge_request_here()
    if number is not None:
        outlook = outlook_now(to, number, environments_dir, project_given)
        if outlook:
            gate_view.show_outlook(outlook, as_json=as_json)
            _stop_unless_passed(to, outlook.name, outlook.refusals)
            return
    else:
        decision = decision_now(to, digest, commit, tag, environments_dir, project_given)
        if decision:
            gate_view.show(decision, as_json=as_json)
            _stop_unless_passed(to, "this release", decision.refusals)
            return
    gate_view.show_none(to, as_json=as_json)


def _stop_unless_passed(environment: str, what: str, refusals: Sequence[str]) -> None:
    from windlass.spec.errors import DeliveryError

    if refusals:
        why = "one reason" if len(refusals) == 1 else f"{len(refusals)} reasons"
        raise DeliveryError(f"{environment} would refuse {what} for {why}, see above")
