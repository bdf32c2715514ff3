"""How much a change means to those who use what is delivered: a table of rules, and nothing else decides it.

breaking: somebody who relies on it may stand without it. behaviour: it will run in another way. cosmetic: only what
people read is different.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

Impact = Literal["breaking", "behaviour", "cosmetic"]
Kind = Literal["added", "removed", "changed", "rebuilt", "missing"]
_ORDER: tuple[Impact, ...] = ("cosmetic", "behaviour", "breaking")


@dataclass(frozen=True)
class Subject:
    """What changes: its `path`, e.g. ("task", "outputs", "scores"), and for a task its operator."""

    path: tuple[str, ...]
    kind: Kind
    before: Any = None
    after: Any = None
    operator: str | None = None


@dataclass(frozen=True)
class Rule:
    """Gives `impact` to the changes of `kind` (empty: any) whose path fits the pattern, part by part."""

    pattern: str
    kind: Kind | Literal[""]
    impact: Impact
    when: Callable[[Subject], bool] = lambda subject: True


def _other_type(subject: Subject) -> bool:
    return _extension(subject.before) != _extension(subject.after)


def _extension(filename: Any) -> str:
    return filename.rpartition(".")[2].lower() if isinstance(filename, str) and "." in filename else ""


def _delivers(subject: Subject) -> bool:
    return subject.operator == "deliver"


RULES = (
    Rule("pipeline", "removed", "breaking"),
    Rule("task", "removed", "breaking"),
    Rule("task.outputs", "removed", "breaking"),
    Rule("task.outputs.*", "removed", "breaking"),
    Rule("task.outputs.*", "changed", "breaking", _other_type),
    Rule("task.to", "", "breaking", _delivers),  # whoever fetches the file looks in the old place
    Rule("project", "removed", "breaking"),
    Rule("setting.prefix", "", "breaking"),  # data and models are elsewhere then
    Rule("setting.s3.*", "", "breaking"),
    Rule("need.*", "missing", "breaking"),
    Rule("dag.description", "", "cosmetic"),
    Rule("dag.tags", "", "cosmetic"),
    Rule("dag.params.*.title", "", "cosmetic"),
    Rule("dag.params.*.description", "", "cosmetic"),
    Rule("*.docs", "", "cosmetic"),
    Rule("*.doc_md", "", "cosmetic"),
)
"""The first rule that fits decides; what none fits is `behaviour`."""


def impact_of(subject: Subject) -> Impact:
    """What the first rule says that fits."""
    for rule in RULES:
        if rule.kind in ("", subject.kind) and _fits(rule.pattern, subject.path) and rule.when(subject):
            return rule.impact
    return "behaviour"


def highest(impacts: Iterable[Impact]) -> Impact | None:
    """The gravest of them; None when there are none."""
    return max(impacts, key=_ORDER.index, default=None)


def _fits(pattern: str, path: tuple[str, ...]) -> bool:
    parts = pattern.split(".")
    return len(parts) == len(path) and all(fnmatchcase(*pair) for pair in zip(path, parts, strict=True))
