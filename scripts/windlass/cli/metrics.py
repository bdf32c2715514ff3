"""`windlass metrics`: how often, how fast and how safely an environment is delivered to."""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from windlass.cli import console, context

if TYPE_CHECKING:
    from collections.abc import Mapping

    from windlass.delivery.metrics.four_keys import FourKeys
    from windlass.spec.environment import Environment

_SHORT = re.compile(r"([0-9]{1,5})([dw])")
_UNITS = {"d": "days", "w": "weeks"}


@click.command("metrics", short_help="Show DORA's four keys of ENV.")
@click.option("--env", "name", metavar="ENV", help="The environment.  [default: the last one]")
@click.option("--since", metavar="TIME", default="90d", show_default=True, help="From when on; 90d is 90 days ago.")
@click.option("--project", metavar="NAME", help="Only this project.")
@context.environments_option
@context.json_option
def command(name: str | None, since: str, project: str | None, environments_dir: str | None, as_json: bool) -> None:
    """Show DORA's four keys of ENV: deployments, lead time, failed changes and the time until they were put right.

    They are reckoned from the ledger and the verdicts of ENV, and lead times from the commits of the git repository
    here; docs/metrics.md says what counts as what. `-` means that there is nothing to reckon from. The trend is the
    number of deployments in each twelfth of the time. TIME is `90d`, `12w`, or one as `windlass history` takes it.

    \b
    Examples:
      windlass metrics
      windlass metrics --env stage --since 12w
      windlass metrics --env prod --project churn --json
    """
    from windlass.cli import delivering
    from windlass.cli.moment import past_moment
    from windlass.delivery.metrics.came import read_log
    from windlass.delivery.metrics.four_keys import four_keys
    from windlass.spec.environment import find_environment
    from windlass.spec.moment import written

    all_environments = context.environments(environments_dir)
    environment = find_environment(all_environments, name) if name else _last(all_environments)
    short = _SHORT.fullmatch(since)
    begin, end = past_moment("--since", f"{short[1]} {_UNITS[short[2]]} ago" if short else since), datetime.now(UTC)
    log = read_log(delivering.place(environment), begin, project, _moments)
    counted_from = max(begin, log.begin) if log.begin else begin
    every, each = four_keys(log.came, log.verdicts, counted_from, end)
    for fault in log.faults:
        console.warn(fault)
    if as_json:
        asked = {"environment": environment.name, "since": _stamp(begin), "until": _stamp(end)}
        shown = {"all": every.as_json(), "projects": [keys.as_json() for keys in each]}
        console.print_json({**asked, "counted_from": _stamp(counted_from), **shown})
    elif every.deployments == 0:
        of = f" of {project}" if project else ""
        console.say(f"{environment.name}: no release{of} came since {written(begin)}, so there is nothing to reckon")
    else:
        console.say(f"{environment.name} since {written(counted_from)}")
        _print([*each, *([every] if len(each) > 1 else [])])


def _last(all_environments: "Mapping[str, Environment]") -> "Environment":
    """The environment before which all others come; with several, the first that is nobody's upstream."""
    upstreams = {environment.upstream for environment in all_environments.values()}
    return next(one for one in all_environments.values() if one.name not in upstreams)


def _moments(before: str | None, commit: str) -> Iterator[tuple[str, datetime]]:
    """The commits that came along, as git knows them here."""
    from windlass.adapters import git

    for made, seconds in git.brought(context.project_folder(), before, commit).items():
        with suppress(ValueError, OverflowError, OSError):  # git takes a year that no calendar has
            yield made, datetime.fromtimestamp(seconds, UTC)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _print(rows: list["FourKeys"]) -> None:
    from rich.text import Text

    from windlass.cli.history_lines import plain
    from windlass.delivery.metrics.shown import HEADINGS, cells

    table = console.table(*HEADINGS)
    for keys in rows:
        table.add_row(*(Text(plain(cell)) for cell in cells(keys)))
    console.out.print(table)
