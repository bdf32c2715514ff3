"""How decisions of a gate look: a table of what was looked at, and a sentence for each refusal."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from windlass.cli import console, context
from windlass.spec.errors import WindlassError

if TYPE_CHECKING:
    from windlass.delivery.gate.decide import Replayed
    from windlass.delivery.gate.outlook import Outlook
    from windlass.spec.decision import Check, Decision

_SIGNS = {"passed": "ok", "refused": "refused", "overridden": "overridden"}
_STYLES = {"passed": "green", "refused": "bold red", "overridden": "yellow"}
_LARGEST = 32_000_000


def show(decision: "Decision", *, as_json: bool) -> None:
    """What was looked at and found, for a person or a machine."""
    from windlass.cli.history_lines import plain

    if as_json:
        told = decision.model_dump(mode="json") | {"digest": decision.digest, "gate": True}
        console.print_json(told | {"refusals": list(decision.refusals), "overridden": list(decision.overridden)})
        return
    evidence = decision.evidence
    what = f"{evidence.tag.name if evidence.tag else evidence.commit[:8]} ({evidence.release[:12]})"
    console.say(f"{decision.environment}: {evidence.project} {plain(what)}, at {plain(evidence.at)}")
    _print_checks(decision.checks)
    for sentence in decision.overridden:
        console.say(f"overridden: {plain(sentence)}", _STYLES["overridden"])
    for sentence in decision.refusals:
        console.say(f"refused: {plain(sentence)}", _STYLES["refused"])
    if evidence.origin is None:
        console.say(f"no gate let anything in before: it will be asked by {plain(decision.policy.origin.describe())}")
    if decision.passed:
        console.say("it may come", _STYLES["passed"])


def show_outlook(outlook: "Outlook", *, as_json: bool) -> None:
    """What can be said of an open merge request already, and what is asked for later."""
    from windlass.cli.gating import is_job
    from windlass.cli.history_lines import plain

    if as_json:
        console.print_json(outlook.as_json())
        return
    proposal = outlook.proposal
    console.say(f"{proposal.environment}: {proposal.project} {outlook.name}, at {proposal.at}")
    _print_checks(outlook.checks)
    for one in outlook.later:
        console.say(f"asked later: {plain(one)}")
    for sentence in outlook.refusals:
        console.say(f"refused: {plain(sentence)}", _STYLES["refused"])
    if outlook.passed:
        console.say("nothing stands against it", _STYLES["passed"])
    elif is_job():
        console.say("an approval starts no pipeline: press retry on this job after it")


def show_none(environment: str, *, as_json: bool) -> None:
    """That the environment has no gate."""
    if as_json:
        console.print_json({"environment": environment, "gate": False, "passed": True})
    else:
        console.say(f"{environment} has no gate")


def _print_checks(checks: Iterable["Check"]) -> None:
    from rich.text import Text

    from windlass.cli.history_lines import plain

    table = console.table("what", "wanted", "found", "")
    for check in checks:
        cells = (check.what, check.wanted, check.found)
        sign = Text(_SIGNS[check.standing], style=_STYLES[check.standing])
        table.add_row(*(Text(plain(cell)) for cell in cells), sign)
    console.out.print(table)


def show_replay(replayed: "Replayed", *, as_json: bool) -> None:
    """The kept decision, and whether the answer is the same today."""
    decision = replayed.decision
    if as_json:
        now = [check.model_dump(mode="json") for check in replayed.checks]
        console.print_json({"digest": decision.digest, "passed": decision.passed, "same": replayed.is_same, "now": now})
        return
    show(decision, as_json=False)
    said = "passed" if decision.passed else "refused"
    console.say(f"decision {decision.digest[:12]} ({said}): the answer is {'the same' if replayed.is_same else 'not'}")


def replayed(name: str, environments_dir: str | None) -> "Replayed":
    """The decision in the file or under the key `name`, judged again."""
    from windlass.cli import delivering
    from windlass.delivery.gate.decide import load_decision, replay, require_named
    from windlass.spec.decision import is_decision_key

    path = Path(name)
    if path.is_file():
        if path.stat().st_size > _LARGEST:
            raise WindlassError(f"{name} is too large for a decision")
        return replay(require_named(path.read_bytes(), name))
    if not is_decision_key(name):
        raise WindlassError(f"there is no file {name!r}, and it is no key of a decision; windlass promote prints it")
    for environment in context.environments(environments_dir).values():
        if name.startswith(f"{environment.prefix}/provenance/"):
            return replay(load_decision(delivering.place(environment), name))
    raise WindlassError(f"no environment here keeps anything at {name!r}; give --environments")
