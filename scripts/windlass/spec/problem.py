"""A problem: one finding about one place in a file. Problems are data; they are reported, never raised."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, order=True)
class Problem:
    """A finding of rule `rule` at `line`:`column` (both from 1) of the file `path`, relative to the project."""

    path: str
    line: int
    column: int
    rule: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.message} [{self.rule}]"


def near(word: str, valid: Iterable[str]) -> str:
    """The words to end a message with: a near match of `word` where there is one, else the valid values.

    >>> near("clietns", ["clients", "scores"])
    "; did you mean 'clients'?"
    >>> near("x", ["clients", "scores"])
    "; valid: 'clients', 'scores'"
    """
    candidates = sorted(set(valid))
    matches = get_close_matches(word, candidates, n=1, cutoff=0.6)
    if matches:
        return f"; did you mean {matches[0]!r}?"
    if not candidates:
        return ""
    shown = ", ".join(repr(candidate) for candidate in candidates[:12])
    return f"; valid: {shown}" + (", ..." if len(candidates) > 12 else "")
