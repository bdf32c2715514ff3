"""`windlass status`: what is live in each environment, or was at an earlier moment, read from S3 alone."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from windlass.cli import console, context
from windlass.spec.errors import WindlassError

if TYPE_CHECKING:
    from datetime import datetime

    from windlass.delivery.history.then import Then
    from windlass.delivery.place import Place
    from windlass.spec.state import State
    from windlass.spec.verdict import Verdict

_COLUMNS = ("project", "tag", "commit", "release", "verdict", "models")
_STATE = re.compile(r"[1-9][0-9]{0,8}(-[0-9a-f]{12})?")


@dataclass(frozen=True)
class _Status:
    """One environment: its state, when the next state came (None: it is live) and the verdict about each project.

    `not_laid_out` are the projects whose files are not as the state says; None where there are no such files.
    """

    environment: str
    state: "State | None"
    until: str | None
    verdicts: "dict[str, Verdict | None]"
    not_laid_out: list[str] | None = None


@click.command("status", short_help="Show which release of each project is live.")
@click.argument("names", metavar="[ENV]...", nargs=-1)
@click.option("--at", "at", metavar="TIME", help="What was live then, or in one state of ENV: its serial or name.")
@context.environments_option
@context.json_option
def command(names: tuple[str, ...], at: str | None, environments_dir: str | None, as_json: bool) -> None:
    """Show which release of each project is live in each ENV, or in all environments.

    Beside it the verdict that counts about the release there, and the holds that keep projects or releases out.
    With --at, all of that as it was at TIME: '2026-11-22', '2026-11-22 14:00', '2026-11-22T14:00+01:00',
    'yesterday 14:00' or '2 hours ago'. A date is its first instant; without a zone times are UTC, as shown.

    \b
    Examples:
      windlass status
      windlass status prod
      windlass status --at 'yesterday 14:00'
      windlass status prod --at 41
      windlass status --json
    """
    from windlass.cli import delivering
    from windlass.cli.moment import past_moment
    from windlass.spec.environment import find_environment
    from windlass.spec.moment import written

    all_environments = context.environments(environments_dir)
    is_state = at is not None and _STATE.fullmatch(at) is not None
    if is_state and len(names) != 1:
        raise WindlassError(f"--at: {at!r} is a state of one environment; name it: windlass status ENV --at {at}")
    moment = past_moment("--at", at) if at is not None and not is_state else None
    found: list[_Status] = []
    for name in names or all_environments:
        place = delivering.place(find_environment(all_environments, name))
        found.append(_read(place, _then(place, at, moment), moment))
    if as_json:
        console.print_json([_as_json(one, at, moment) for one in found])
        return
    if moment:
        console.say(f"at {written(moment)}:")
    _print(found, is_past=at is not None)


def _then(place: "Place", at: str | None, moment: "datetime | None") -> "Then":
    from windlass.delivery.history.states import load_current
    from windlass.delivery.history.then import Then, state_at, state_named

    if at is None:
        return Then(load_current(place.code, place.prefix).state, None)
    return state_at(place, moment) if moment else state_named(place, at)


def _read(place: "Place", then: "Then", moment: "datetime | None") -> _Status:
    """The state with the verdicts that counted then: at `moment`, or before the next state came."""
    from windlass.delivery.plain.lay_out import unfinished
    from windlass.delivery.verification.verdicts import load_verdicts
    from windlass.spec.moment import read_timestamp

    verdicts: dict[str, Verdict | None] = {}
    end = moment or (read_timestamp(then.until) if then.until else None)
    for project, live in sorted(then.state.projects.items()) if then.state else []:
        every = load_verdicts(place, project, live.release)
        by_then = [one for one in every.verdicts if end is None or ((came := read_timestamp(one.at)) and came <= end)]
        verdicts[project] = every.model_copy(update={"verdicts": by_then}).decisive
    follows = unfinished(place, then.state) if place.plain and then.state and not (moment or then.until) else None
    return _Status(place.name, then.state, then.until, verdicts, follows)


def _as_json(one: _Status, at: str | None, moment: "datetime | None") -> dict[str, Any]:
    state = one.state
    projects = state.projects if state else {}
    asked = {"at": moment.isoformat().replace("+00:00", "Z") if moment else at, "until": one.until} if at else {}
    return {
        "environment": one.environment,
        "state": state.name if state else None,
        "projects": {project: live.model_dump(mode="json") for project, live in projects.items()},
        "deployment": state.deployment.model_dump(mode="json") if state else None,
        "holds": [hold.model_dump(mode="json") for hold in state.holds] if state else [],
        **({"frozen": state.frozen.model_dump(mode="json")} if state and state.frozen else {}),
        "verdicts": {project: each.model_dump(mode="json") if each else None for project, each in one.verdicts.items()},
        **({"not_laid_out": one.not_laid_out} if one.not_laid_out is not None else {}),
        **asked,
    }


def _print(found: list[_Status], *, is_past: bool) -> None:
    from rich.text import Text

    from windlass.cli.history_lines import plain

    table = console.table("environment", "state", *_COLUMNS)
    for one in found:
        if one.state is None and not is_past:
            table.add_row(one.environment, "-", "nothing was promoted yet")
        elif one.state is None:
            table.add_row(one.environment, "-")
        for number, (project, live) in enumerate(sorted(one.state.projects.items()) if one.state else []):
            assert one.state is not None
            first = (one.environment, one.state.name) if number == 0 else ("", "")
            models = ", ".join(f"{model} {version}" for model, version in live.models.items())
            verdict = one.verdicts[project]
            said = verdict.result if verdict else "-"
            cells = (*first, project, live.tag or "-", live.commit[:8], live.release[:12], said, models or "-")
            table.add_row(*(Text(plain(cell)) for cell in cells))
    console.out.print(table)
    for one in found:
        if is_past:
            console.say(f"{one.environment}: {_life(one)}")
        if one.state and one.state.frozen:
            console.say(f"{one.environment}: {plain(one.state.frozen.describe())}")
        for hold in one.state.holds if one.state else []:
            console.say(f"{one.environment}: {plain(hold.describe())}")
        if one.not_laid_out:
            what = ", ".join(one.not_laid_out)
            console.say(f"{one.environment}: files below dags/ are not as the state says: {what}; promote it again")


def _life(one: _Status) -> str:
    """From when to when the state was live."""
    from windlass.cli.history_lines import time_of

    if one.state is None and one.until is None:
        return "nothing was live then, and nothing was promoted since"
    if one.state is None:
        return f"nothing was live then; the first deployment came at {time_of(one.until or '')} UTC"
    until = f"until {time_of(one.until)} UTC" if one.until else "and still"
    return f"live from {time_of(one.state.deployment.at)} UTC, {until}"
