"""What an operator's docstring says: of itself, of each argument and port under `Args:`, and its `Example:`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import cleandoc
from textwrap import dedent

_SECTION = re.compile(r"^(Args|Arguments|Returns|Raises|Yields|Examples?|Notes?|Attributes):[ \t]*$", re.M)
_ENTRY = re.compile(r"^(\*{0,2}\w+)(?: \([^)]*\))?:[ \t]*(.*)")


@dataclass(frozen=True)
class Documented:
    """A docstring, read: its first paragraph, all of its text, what it says of each argument, and its example."""

    summary: str
    text: str
    arguments: Mapping[str, str]
    example: str


def documented(docstring: str) -> Documented:
    """The parts of a docstring in Google's style; a docstring in another one is all text."""
    docstring = cleandoc(docstring)
    first = _SECTION.search(docstring)
    text = docstring[: first.start()].strip() if first else docstring.strip()
    summary = _joined(text.split("\n\n")[0])
    return Documented(
        summary,
        "\n\n".join(_joined(part) for part in text.split("\n\n")),
        _arguments(docstring),
        _section(docstring, "Example"),
    )


def _arguments(docstring: str) -> dict[str, str]:
    body = _section(docstring, "Arg")
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in body.splitlines():
        entry = _ENTRY.match(line)
        if entry:
            lines = found.setdefault(entry[1], [])
            lines.append(entry[2])
        else:
            lines.append(line.strip())
    return {name: " ".join(filter(None, lines)) for name, lines in found.items()}


def _section(docstring: str, beginning: str) -> str:
    """The text of the section whose heading begins so, without its indentation."""
    section = next((each for each in _SECTION.finditer(docstring) if each[1].startswith(beginning)), None)
    if section is None:
        return ""
    following = _SECTION.search(docstring, section.end())
    return dedent(docstring[section.end() : following.start() if following else None].strip("\n")).strip()


def _joined(paragraph: str) -> str:
    return " ".join(paragraph.split())
