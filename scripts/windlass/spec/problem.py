"""A problem: one finding about one place in a file. Problems are data; they are reported, never raised."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches


@dataclass(frozen=True)
class Edit:
    """What can be written at a problem's place without a second thought: `new` instead of `old`, which stands there."""

    old: str
    new: str


@dataclass(frozen=True, order=True)
class Problem:
    """A finding of rule `rule` at `line`:`column` (both from 1) of the file `path`, relative to the project."""

    path: str
    line: int
    column: int
    rule: str
    message: str
    edit: Edit | None = field(default=None, compare=False)
    used_by: tuple[str, ...] = field(default=(), compare=False)
    """Where the place is in a template or in defaults: the pipelines that take it from there."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.message} [{self.rule}]"


def only_match(word: str, valid: Iterable[str]) -> str | None:
    """The one of the valid words that `word` can only be a slip of; None where there are several or none is close.

    >>> only_match("schedul", ["schedule", "owner"])
    'schedule'
    """
    matches = get_close_matches(word, sorted(set(valid)), n=2, cutoff=0.6)
    close = get_close_matches(word, matches, n=1, cutoff=0.8)
    return close[0] if len(matches) == 1 and close else None


def near_match(word: str, valid: Iterable[str]) -> str | None:
    """The valid word that is most like `word`; None where none is."""
    return next(iter(get_close_matches(word, sorted(set(valid)), n=1, cutoff=0.6)), None)


def near(word: str, valid: Iterable[str]) -> str:
    """The words to end a message with: a near match of `word` where there is one, else the valid values.

    >>> near("clietns", ["clients", "scores"])
    "; did you mean 'clients'?"
    >>> near("x", ["clients", "scores"])
    "; valid: 'clients', 'scores'"
    """
    candidates = sorted(set(valid))
    if match := near_match(word, candidates):
        return f"; did you mean {match!r}?"
    if not candidates:
        return ""
    shown = ", ".join(repr(candidate) for candidate in candidates[:12])
    return f"; valid: {shown}" + (", ..." if len(candidates) > 12 else "")
