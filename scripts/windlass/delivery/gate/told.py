"""How a check of a gate is told: what was wanted and found, and the sentence with the remedy."""

from collections.abc import Sequence
from dataclasses import dataclass

from windlass.delivery.plan.shown import one_line
from windlass.spec.decision import Check, Standing


@dataclass(frozen=True)
class Finding:
    """A check, and whether people may override it where it is refused."""

    check: Check
    can_be_overridden: bool = False


def passed(what: str, wanted: str, found: str) -> Finding:
    """A check that is as it should be."""
    return Finding(_check(what, wanted, found))


def refused(what: str, wanted: str, found: str, sentence: str, *, can_be_overridden: bool = False) -> Finding:
    """A check that stops the release, with the sentence that says so and what to do."""
    return Finding(_check(what, wanted, found, "refused", sentence), can_be_overridden)


def overridden(what: str, wanted: str, found: str, sentence: str) -> Finding:
    """A check that would stop the release, had nobody said that it may come all the same."""
    return Finding(_check(what, wanted, found, "overridden", sentence))


def _check(what: str, wanted: str, found: str, standing: Standing = "passed", sentence: str | None = None) -> Check:
    """Names, titles and reasons are what others wrote: each is one line, with escapes for what does not print."""
    cells = {"what": one_line(what), "wanted": one_line(wanted), "found": one_line(found)}
    return Check(**cells, standing=standing, sentence=one_line(sentence) if sentence else None)


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 approval`, `2 approvals`."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def unasked_groups(groups: Sequence[str]) -> str:
    """What to add to a sentence where groups decide and this token may not ask for their members."""
    if not groups:
        return ""
    shown = ", ".join(dict.fromkeys(groups))
    return (
        f" (who is in {shown} is not told to a job token: set WINDLASS_GITLAB_TOKEN, or name users in "
        "environments/roles.yml)"
    )
