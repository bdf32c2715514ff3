"""What `windlass doctor` prints: what to change first, then what was not seen, then what is fine."""

from windlass.cli import console
from windlass.doctor.examine import Result

STATES = {"error": ("error", "errors"), "warning": ("warning", "warnings"), "unseen": ("not seen",) * 2}
"""The states to be told of, the gravest first, with the words for one and for several."""
_STYLES = {"error": "bold red", "warning": "yellow"}


def report(results: list[Result], as_json: bool) -> None:
    """Prints the results for a person, or for a machine."""
    if as_json:
        console.print_json([result.to_json() for result in results])
        return
    for state in STATES:
        for result in results:
            if result.state == state and result.problems:
                _print(result)
    _print_unseen(results)
    counts = {state: sum(result.state == state for result in results) for state in STATES}
    said = [f"{count} {STATES[state][count != 1]}" for state, count in counts.items() if count]
    console.say(", ".join([*said, f"{len(results) - sum(counts.values())} as they should be"]))


def _print(result: Result) -> None:
    for problem in result.problems:
        console.say(f"{result.severity}: {problem} [{result.check}]", _STYLES.get(result.severity))
    console.say(f"  change: {result.menu}")
    if result.api:
        console.say(f"  by API: {result.api}")
    console.say(f"  more: {result.page}", "dim")


def _print_unseen(results: list[Result]) -> None:
    """Each reason once, with all the checks that it kept from looking."""
    reasons: dict[str, list[str]] = {}
    for result in results:
        if result.unseen:
            reasons.setdefault(result.unseen, []).append(result.check)
    for reason, checks in reasons.items():
        console.say(f"not seen: {reason} [{', '.join(checks)}]", "dim")
