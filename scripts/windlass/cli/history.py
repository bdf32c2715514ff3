"""`windlass history`: who changed what in an environment, when and why, and whether the record was tampered with."""

from typing import TYPE_CHECKING

import click

from windlass.cli import console, context

if TYPE_CHECKING:
    from windlass.spec.state import Deployment


@click.command("history")
@click.argument("name", metavar="ENV")
@click.option("--verify", "check", is_flag=True, help="Check the chain of records and the states that they are about.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many records to show.")
@context.environments_option
@context.json_option
def command(name: str, check: bool, limit: int, environments_dir: str | None, as_json: bool) -> None:
    """Show the deployments of ENV, newest first: promotions, rollbacks, and holds set and taken away.

    Each record holds the hash of the record before it: with --verify, a record that is missing, altered or moved is
    found and named, and the exit code is 1.

    \b
    Examples:
      windlass history prod
      windlass history prod --verify
      windlass history stage --limit 100 --json
    """
    from windlass.delivery.ledger import read_history
    from windlass.spec.environment import find_environment

    environment = find_environment(context.environments(environments_dir), name)
    history = read_history(context.store(environment, "code"), environment.prefix, check=check)
    newest = list(reversed(history.records))[:limit]
    if as_json:
        records = [record.model_dump(mode="json") for record in newest]
        console.print_json({"environment": name, "records": records, "faults": history.faults if check else None})
    else:
        table = console.table("", "when", "what", "project", "release", "from", "by", "why")
        for record in newest:
            done = record.deployment
            before = done.replaces[:12] if done.replaces else "-"
            if done.hold and done.action == "rollback":
                before += " (on hold now)"
            table.add_row(
                str(record.serial),
                done.at[:19].replace("T", " "),
                done.action,
                done.project or "all",
                _subject(done),
                before,
                done.actor or "-",
                done.reason or "-",
            )
        if newest:
            console.out.print(table)
        else:
            console.say(f"{name}: nothing was deployed yet")
    for fault in history.faults:
        (console.fail if check else console.warn)(fault)
    if check and history.faults:
        click.get_current_context().exit(1)
    if check and not as_json:
        console.say(f"{len(history.records)} records, whole and in order")


def _subject(done: "Deployment") -> str:
    """What the change was about: a release, a state, or with a hold everything of the project."""
    if done.back_to:
        return done.back_to
    if done.release is None:
        return "all releases"
    name = done.tag or (done.commit[:8] if done.commit else None)
    return f"{name} ({done.release[:12]})" if name else done.release[:12]
