"""`windlass gate`: shows whether a release may come into an environment, and judges again what was decided before."""

from typing import TYPE_CHECKING

import click

from windlass.cli import context

if TYPE_CHECKING:
    from windlass.spec.decision import Decision


@click.command("gate")
@click.option("--to", "to", metavar="ENV", help="The environment whose gate is asked.")
@click.option("--release", "digest", metavar="DIGEST", help="The release by its name, at least 8 digits.")
@click.option("--commit", metavar="COMMIT", help="The release of this commit.  [default: CI_COMMIT_SHA, HEAD]")
@click.option("--tag", metavar="TAG", help="The release of this tag.")
@click.option("--replay", metavar="FILE|KEY", help="Judge this decision again, without asking anybody.")
@context.environments_option
@context.project_option
@context.json_option
def command(
    to: str | None,
    digest: str | None,
    commit: str | None,
    tag: str | None,
    replay: str | None,
    environments_dir: str | None,
    project_given: str | None,
    as_json: bool,
) -> None:
    """Show whether a release may come into ENV now, and all that was looked at; nothing is changed.

    `windlass promote` asks the same by itself. What `gate` in environments/ENV.yml, roles.yml and CODEOWNERS say is
    read from the protected default branch of the repository that owns them, approvals and tags from GitLab. The exit
    code is 0 where the release would pass and 2 where not, with a sentence for each reason.

    With --replay the decision in FILE, or under KEY in the code bucket of its environment, is judged again from the
    policy and the evidence that it holds: offline, and with an error where a byte of it was altered.

    \b
    Examples:
      windlass gate --to prod
      windlass gate --to prod --tag v1.2.0 --json
      windlass gate --replay decision.json
    """
    from windlass.cli import console, gate_view, gating
    from windlass.spec.errors import DeliveryError, WindlassError

    if replay is not None:
        replayed = gate_view.replayed(replay, environments_dir)
        gate_view.show_replay(replayed, as_json=as_json)
        if not replayed.is_same:
            raise DeliveryError(f"{replay}: this windlass comes to another answer than was kept")
        return
    if to is None:
        raise WindlassError("name the environment whose gate is asked: --to ENV, or a decision: --replay FILE")
    decision = gating.decision_now(to, digest, commit, tag, environments_dir, project_given)
    if decision is None:
        if as_json:
            console.print_json({"environment": to, "gate": False, "passed": True})
        else:
            console.say(f"{to} has no gate")
        return
    _show(decision, as_json=as_json)


def _show(decision: "Decision", *, as_json: bool) -> None:
    from windlass.cli import gate_view
    from windlass.spec.errors import DeliveryError

    gate_view.show(decision, as_json=as_json)
    if not decision.passed:
        number = len(decision.refusals)
        why = "one reason" if number == 1 else f"{number} reasons"
        raise DeliveryError(f"{decision.environment} would refuse this release for {why}, see above")
