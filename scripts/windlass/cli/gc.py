"""`windlass gc`: removes from an environment what nothing needs any more."""

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from windlass.cli import console, context
from windlass.spec.errors import WindlassError

if TYPE_CHECKING:
    from windlass.delivery.gc.gc import GcPlan, Kind
    from windlass.delivery.gc.needed import AirflowUse
    from windlass.spec.environment import Environment

_KINDS: "tuple[Kind, ...]" = ("release", "model", "state")
_SHOWN = 10


@click.command("gc", short_help="Remove what nothing needs any more from ENV.")
@click.argument("name", metavar="ENV")
@click.option("--dry-run", is_flag=True, help="Show what would go, and remove nothing.")
@click.option(
    "--keep", type=click.IntRange(min=2), default=10, show_default=True, help="Releases to keep for each project."
)
@click.option(
    "--younger-than",
    "days",
    metavar="DAYS",
    type=click.IntRange(min=1),
    default=30,
    show_default=True,
    help="Keep whatever was written in the last DAYS.",
)
@context.environments_option
@context.json_option
def command(name: str, dry_run: bool, keep: int, days: int, environments_dir: str | None, as_json: bool) -> None:
    """Remove releases, their provenance and model versions that nothing needs from ENV.

    What is live in any environment stays; so does what runs in ENV's Airflow still use or will begin with, what the
    last releases of each project were made of, and whatever is younger than the limit. The ledger, the states that
    it names, and the decisions of gates with their overrides stay for ever: `windlass history` can always tell, and
    `windlass gate --replay` judge again, but a rollback reaches only what was kept. When an Airflow or a store does not
    answer, nothing is removed. It needs credentials that may delete; those of a delivery may not.

    \b
    Examples:
      windlass gc dev --dry-run
      windlass gc dev
      windlass gc prod --keep 50 --younger-than 365 --json
    """
    from windlass.cli import delivering
    from windlass.delivery.gc.gc import perform_gc
    from windlass.delivery.gc.needed import Rules, deciding_gc
    from windlass.spec.environment import find_environment

    all_environments = context.environments(environments_dir)
    environment = find_environment(all_environments, name)
    everywhere = {each.name: delivering.place(each) for each in all_environments.values()}
    place, (airflow, bundle) = everywhere[name], _airflow(environment)
    rules = Rules(keep, datetime.now(UTC) - timedelta(days=days))
    decide = deciding_gc(place, everywhere.values(), airflow, bundle, rules, console.step)
    plan, _ = decide()
    if not as_json:
        _print(plan)
    removed = 0 if dry_run or not plan.removals else len(perform_gc(decide, place, console.step))
    if as_json:
        console.print_json({**_as_json(plan), "removed": removed})
    elif plan.removals:
        console.say("nothing was removed: this was a dry run" if dry_run else f"removed {removed}")


def _airflow(environment: "Environment") -> "tuple[AirflowUse, str]":
    """The environment's Airflow and the name of the bundle in it: without it nobody knows what runs still use."""
    from windlass.adapters.airflow_use import AirflowUseApi
    from windlass.spec.environment import resolve

    where = f"environments/{environment.name}.yml: airflow"
    if environment.airflow is None:
        raise WindlassError(f"{where} is missing: nobody can say which releases runs still use; nothing is removed")
    settings = resolve(environment.airflow, os.environ, where)
    return AirflowUseApi(settings, environment.name), settings.bundle


def _print(plan: "GcPlan") -> None:
    table = console.table("", "number", "bytes")
    for reason, (number, size) in plan.kept.items():
        table.add_row(f"stays, {reason}", f"{number:,}", f"{size:,}")
    for kind in _KINDS:
        number, size = plan.count(kind)
        table.add_row(f"goes, {kind}s", f"{number:,}", f"{size:,}")
    console.out.print(table)
    for unit in plan.removals[:_SHOWN]:
        kind, owner, which = unit.name
        console.say(f"  - {kind} {owner} {which[:16]} ({unit.modified:%Y-%m-%d}, {unit.size:,} bytes)")
    if len(plan.removals) > _SHOWN:
        console.say(f"  and {len(plan.removals) - _SHOWN:,} more; --json names all")


def _as_json(plan: "GcPlan") -> dict[str, Any]:
    return {
        "environment": plan.environment,
        "goes": {kind: dict(zip(("number", "bytes"), plan.count(kind), strict=True)) for kind in _KINDS},
        "stays": {reason: {"number": number, "bytes": size} for reason, (number, size) in plan.kept.items()},
        "removals": [
            {
                "kind": unit.name[0],
                "of": unit.name[1] or None,
                "name": unit.name[2],
                "keys": list(unit.keys),
                "bytes": unit.size,
                "modified": unit.modified.isoformat(),
            }
            for unit in plan.removals
        ],
    }
