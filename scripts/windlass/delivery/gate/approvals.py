"""Whose approval of a merge request stands: a replay of what GitLab noted, with the reason for each that does not."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from windlass.spec.evidence import Event, MergeRequest, Reviewed
from windlass.spec.moment import read_timestamp
from windlass.spec.roles import names

_BOT = re.compile(r"(project|group)_\d+_bot.*|service_account_.*|ghost", re.S)


def is_no_person(name: str) -> bool:
    """Whether it is the name of an access token's or service account's user, or of one whom GitLab removed."""
    return _BOT.fullmatch(name.casefold()) is not None


@dataclass(frozen=True)
class Approvals:
    """Names of those whose approval stands, as they are compared and as they are shown; and why others' do not."""

    standing: dict[str, str] = field(default_factory=dict)
    discounted: tuple[str, ...] = ()

    def by(self, people: frozenset[str]) -> int:
        """How many of these people approved."""
        return len(self.standing.keys() & people)

    def shown(self) -> str:
        """Who approved, and whose approval counts nothing and why."""
        said = ", ".join(sorted(self.standing.values())) or "nobody"
        return said + (f" ({'; '.join(self.discounted)})" if self.discounted else "")


def approvals_of(merge_request: MergeRequest, evidence: Reviewed, *, committers: bool) -> Approvals:
    """The approvals that stand now; with `committers`, those of people who pushed to the merge request count too."""
    standing: dict[str, Event] = {}
    dropped: dict[str, str] = {}
    pushers: set[str] = set()
    for event in sorted(merge_request.events, key=lambda one: one.note):
        name = event.actor.casefold()
        if event.kind in ("push", "target"):
            since = "the last push" if event.kind == "push" else "its target changed"
            dropped |= {who: f"{one.actor} approved before {since}" for who, one in standing.items()}
            standing = {}
            pushers |= {name} if event.kind == "push" else set()
        elif event.kind == "approval":
            standing[name] = event
            dropped.pop(name, None)
        elif standing.pop(name, None):
            dropped[name] = f"{event.actor} took the approval back"
    for why, is_out in _exclusions(merge_request, evidence, frozenset() if committers else frozenset(pushers)):
        for name, event in list(standing.items()):
            if is_out(name, event):
                dropped[name] = why.format(event.actor)
                del standing[name]
    return Approvals(
        {name: event.actor for name, event in standing.items()}, tuple(why for _, why in sorted(dropped.items()))
    )


def _exclusions(
    merge_request: MergeRequest, evidence: Reviewed, pushers: frozenset[str]
) -> list[tuple[str, Callable[[str, Event], bool]]]:
    author, newest = merge_request.author.casefold(), merge_request.newest_version
    approved, members = merge_request.approved_by, evidence.members
    listed = names(approved) if approved is not None else None
    inside = names(members) if members is not None else None
    return [
        ("{} is the author", lambda name, event: name == author),
        ("{} pushed to it", lambda name, event: name in pushers),
        ("{} approved before the last push", lambda name, event: newest is not None and not _after(event.at, newest)),
        ("{} is no person", lambda name, event: is_no_person(name)),
        ("{} is blocked", lambda name, event: not event.active),
        ("{} is not among GitLab's approvals", lambda name, event: listed is not None and name not in listed),
        ("{} is no member of the project", lambda name, event: inside is not None and name not in inside),
    ]


def _after(at: str, newest: str) -> bool:
    """Whether a time stamp is after another one; one that cannot be read is not."""
    approved, pushed = read_timestamp(at), read_timestamp(newest)
    return approved is not None and pushed is not None and approved > pushed
