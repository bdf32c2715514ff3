"""The line of a file that a problem is in, with a mark below its place; a line that may hold a secret is left out."""

import re

from windlass.lint.findings import Findings
from windlass.lint.secrets import may_show_secret
from windlass.spec.problem import Problem

_WIDTH = 160
_BEFORE = 60
_WORD = re.compile(r"(?:[\w.@/-]|:(?=\w))+")
"""A key or a plain value: a colon belongs to it where no space follows, as in 12:30."""


def source_lines(findings: Findings, problem: Problem) -> tuple[str, str] | None:
    """The line and the mark under it; None where the line is not known, is empty, or should not be printed."""
    lines = findings.texts.get(problem.path, "").split("\n")
    line = lines[problem.line - 1].rstrip("\r") if problem.line <= len(lines) else ""
    if not line.strip() or problem.rule == "no-secret" or may_show_secret(line):
        return None
    column = min(problem.column - 1, len(line))
    start = max(0, column - _BEFORE) if len(line) > _WIDTH else 0
    part = "".join(one if one.isprintable() else " " for one in line[start : start + _WIDTH])
    return part, " " * (column - start) + "^" + "~" * (_length(line, column) - 1)


def _length(line: str, column: int) -> int:
    """How many characters belong to what begins at `column`: a word, or a text in quotes."""
    mark = line[column : column + 1]
    if mark in ("'", '"') and (end := line.find(mark, column + 1)) > 0:
        return min(end + 1 - column, _WIDTH // 2)
    found = _WORD.match(line, column)
    return max(1, min(len(found[0]) if found else 0, _WIDTH // 2))
