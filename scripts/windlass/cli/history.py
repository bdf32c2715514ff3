"""`windlass history`: who changed what in an environment, when and why, and whether the record was tampered with."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from windlass.cli import console, context

if TYPE_CHECKING:
    from windlass.delivery.history.entries import Entry
    from windlass.delivery.history.ledger import History
    from windlass.delivery.history.named_releases import ReleasesCheck
    from windlass.delivery.place import Place

_AT_ONCE = 32
"""How many records are read side by side."""


@click.command("history", short_help="Show the deployments of ENV, newest first.")
@click.argument("name", metavar="ENV")
@click.option("--project", metavar="NAME", help="Only what concerned this project, or the whole environment.")
@click.option("--since", metavar="TIME", help="Only what was done at TIME or later.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many records to show.")
@click.option("--verify", "check", is_flag=True, help="Check all records, and the states and releases they are about.")
@click.option("--deep", is_flag=True, help="Check the bytes of all releases that are there too.")
@context.environments_option
@context.json_option
def command(
    name: str,
    project: str | None,
    since: str | None,
    limit: int,
    check: bool,
    deep: bool,
    environments_dir: str | None,
    as_json: bool,
) -> None:
    """Show the deployments of ENV, newest first: promotions, rollbacks, and holds set and taken away.

    Beside each: the environment that the release came from, the merge request and who approved it (`?` is unknown),
    and the verdict that counts about the release in ENV. Times are UTC; TIME is one like '2026-11-22 14:00',
    'yesterday' or '2 hours ago'.

    Each record holds the hash of the record before it: with --verify, a record that is missing, altered, moved or
    forged is found and named, and the exit code is 1. So is a release that is not what its name says.

    \b
    Examples:
      windlass history prod
      windlass history prod --project churn --since '3 days ago'
      windlass history prod --verify --deep
      windlass history stage --limit 100 --json
    """
    from windlass.cli import delivering
    from windlass.cli.history_lines import print_entries
    from windlass.cli.moment import past_moment
    from windlass.delivery.history.entries import choose, read_entries
    from windlass.delivery.history.ledger import newest_first
    from windlass.delivery.history.states import load_current
    from windlass.delivery.plan.shown import one_line
    from windlass.spec.environment import find_environment

    place = delivering.place(find_environment(context.environments(environments_dir), name))
    begin = past_moment("--since", since) if since else None
    checked = _check(place, deep=deep) if check or deep else None
    if checked:
        records, found = choose(reversed(checked.history.records), project, begin, limit)
    else:
        live = load_current(place.code, place.prefix).state
        at_once = min(limit, _AT_ONCE) if not (project or since) else _AT_ONCE
        every = (record for _, record in newest_first(place.code, place.prefix, live, at_once))
        records, found = choose(every, project, begin, limit)
    entries = read_entries(place, records)
    about = [fault for entry in entries if entry.about for fault in entry.about.faults]
    faults = list(dict.fromkeys([*(checked.faults if checked else found), *about]))
    if as_json:
        shown = [_as_json(entry) for entry in entries]
        console.print_json({"environment": name, "records": shown, "faults": faults if checked else None})
    elif entries:
        print_entries(console.out, entries)
    else:
        console.say(f"{name}: nothing was deployed {'then' if project or since else 'yet'}")
    for fault in faults:
        (console.fail if checked else console.warn)(one_line(fault))
    if checked and not as_json:
        for line in checked.describe():
            console.say(line)
    if checked and faults:
        click.get_current_context().exit(1)


@dataclass(frozen=True)
class _Checked:
    """What --verify found."""

    history: "History"
    releases: "ReleasesCheck"

    @property
    def faults(self) -> list[str]:
        return self.history.faults + self.releases.faults

    def describe(self) -> list[str]:
        """What is sound, for a person."""
        history, releases, lines = self.history, self.releases, list[str]()
        if not history.faults:
            count = len(history.records)
            lines.append(f"{count} record{'' if count == 1 else 's'}, whole and in order")
            lines += [f"live: {history.states[max(history.states)].name}"] if history.states else []
        if not releases.faults:
            removed = f"; {releases.removed} removed since" if releases.removed else ""
            lines.append(f"{releases.there} release{'' if releases.there == 1 else 's'} as named{removed}")
        return lines


def _check(place: "Place", *, deep: bool) -> _Checked:
    from windlass.delivery.history.ledger import read_history
    from windlass.delivery.history.named_releases import check_releases

    history = read_history(place.code, place.prefix, check=True, progress=console.step)
    return _Checked(history, check_releases(place, history.states, deep=deep, progress=console.step))


def _as_json(entry: "Entry") -> dict[str, Any]:
    about = entry.about
    verdict = about.verdict.model_dump(mode="json") if about and about.verdict else None
    record = entry.record.model_dump(mode="json")
    return {**record, "merge_request": about.merge_request if about else None, "verdict": verdict}
