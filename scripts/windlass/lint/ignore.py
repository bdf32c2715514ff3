"""`# windlass: ignore[rule] reason` on the line of a problem, or alone on the line above, takes the problem away."""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Any

import yaml

from windlass.spec.document import Document
from windlass.spec.problem import Problem, near

NAME = "ignore-comment"
_MARK = re.compile(r"(?:(?<=\s)|^)#\s*windlass:\s*ignore\b(?P<rules>\[[^\]\n]*\])?(?P<reason>[^\n]*)", re.M)
_MAX_COMMENTS = 250
"""Of one file; where there are more, nobody has thought about each."""


@dataclass(frozen=True)
class Ignore:
    """One rule that a comment takes back, at `line`:`column`; it is about the line `target`."""

    path: str
    line: int
    column: int
    rule: str
    target: int


@dataclass(frozen=True)
class Known:
    """The rules that exist, those that a comment can take back, and those that could find something this time."""

    rules: Collection[str]
    ignorable: Collection[str]
    asked: Collection[str]
    shared: Collection[str] = ()
    """Files of which other pipelines than these may make use: that nothing is found there says little."""


def without_ignored(
    problems: Iterable[Problem], documents: Iterable[Document], known: Known
) -> tuple[list[Problem], list[Problem]]:
    """The problems that no comment takes back, and what is wrong with the comments themselves."""
    ignores: list[Ignore] = []
    wrong: list[Problem] = []
    for document in documents:
        for found in _read(document, known):
            if isinstance(found, Ignore):
                ignores.append(found)
            else:
                wrong.append(found)
    by_place = {(ignore.path, ignore.target, ignore.rule): ignore for ignore in ignores}
    used: set[Ignore] = set()
    left = []
    for problem in problems:
        ignore = by_place.get((problem.path, problem.line, problem.rule))
        if ignore is None:
            left.append(problem)
        else:
            used.add(ignore)
    wrong += [
        Problem(ignore.path, ignore.line, ignore.column, NAME, f"nothing to ignore: {ignore.rule} finds nothing here")
        for ignore in ignores
        if ignore not in used and ignore.rule in known.asked and ignore.path not in known.shared
    ]
    return left, wrong


def _read(document: Document, known: Known) -> Iterator[Ignore | Problem]:
    text = document.text
    marks = list(islice(_MARK.finditer(text), _MAX_COMMENTS))
    if not marks:
        return
    lines = text.split("\n")
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    scalars = list(_scalars(text, starts))
    following = _following(lines)
    for mark in marks:
        if _is_inside(mark.start(), scalars):
            continue  # in quotes, or in a text over several lines, it is part of the text
        number = bisect_right(starts, mark.start()) - 1
        before = lines[number][: mark.start() - starts[number]]
        target = number + 1 if before.strip() else following[number]
        yield from _meant(mark, document.path, number + 1, len(before) + 1, target, known)


def _meant(
    mark: re.Match[str], path: str, line: int, column: int, target: int, known: Known
) -> Iterator[Ignore | Problem]:
    rules = [rule for rule in re.split(r"[\s,]+", (mark["rules"] or "")[1:-1]) if rule]
    if not rules:
        yield Problem(path, line, column, NAME, "say which rule: '# windlass: ignore[rule] reason'")
        return
    if not re.search(r"\w", mark["reason"]):
        message = f"say why after the bracket: '# windlass: ignore[{', '.join(rules)}] reason'"
        yield Problem(path, line, column, NAME, message)
    for rule in rules:
        if rule in known.ignorable:
            yield Ignore(path, line, column, rule, target)
        else:
            why = "cannot be ignored" if rule in known.rules else f"does not exist{near(rule, known.ignorable)}"
            yield Problem(path, line, column, NAME, f"rule {rule!r} {why}")


def _following(lines: Sequence[str]) -> list[int]:
    """For each line the number of the first below it that is more than a comment: several may stand over one value."""
    found = [0] * len(lines)
    following = len(lines) + 1
    for index in range(len(lines) - 1, -1, -1):
        found[index] = following
        content = lines[index].strip()
        if content and not content.startswith("#"):
            following = index + 1
    return found


def _is_inside(offset: int, scalars: Sequence[tuple[int, int]]) -> bool:
    index = bisect_right(scalars, (offset, len(scalars) and scalars[-1][1])) - 1
    return index >= 0 and scalars[index][0] <= offset < scalars[index][1]


def _scalars(text: str, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where texts begin and end, as far as the file can be read."""

    def offset(mark: Any) -> int:
        return int(starts[min(mark.line, len(starts) - 1)] + mark.column)

    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(event, yaml.ScalarEvent):
                yield offset(event.start_mark), offset(event.end_mark)
    except yaml.YAMLError:
        return
