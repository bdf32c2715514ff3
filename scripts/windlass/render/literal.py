"""Prints values as Python source, laid out as `ruff format` would; the only way in which a value becomes code."""

import keyword
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache
from typing import Any

WIDTH = 110
"""The longest line, as far as lines can be broken: a string never is."""


class Code(str):
    """Source text that is printed as it is; made by this module only."""

    __slots__ = ()


@dataclass(frozen=True)
class Reference:
    """Another task's output, `variable.output["port"]`; without a port the variable itself, with "" what it returns."""

    variable: str
    port: str | None = None


@dataclass(frozen=True)
class Call:
    """A call; `exploded` puts each argument in its own line even where one line would do.

    `then` is a call of a method of what it returns.
    """

    function: str
    positional: Sequence[Any] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)
    exploded: bool = False
    then: "Call | None" = None


@lru_cache(maxsize=4096)  # the same few names stand in every DAG of a project
def identifier(name: str) -> Code:
    """`name` as bare code: a Python name, or several with dots between; ValueError for anything else."""
    for part in name.split("."):
        if not part.isascii() or not part.isidentifier() or keyword.iskeyword(part):
            raise ValueError(f"{name!r} is not a Python name")
    return Code(name)


def literal(value: Any) -> str:
    """The source of `value` in one line; TypeError for what has none."""
    if isinstance(value, str):
        return value if isinstance(value, Code) else _text(value)
    if value is None or isinstance(value, (bool, int)):
        return repr(value)
    if isinstance(value, float):
        return repr(value).replace("inf", "1e999")
    opening, items, closing = _parts(value)
    flat = opening + ", ".join(prefix + literal(item) for prefix, item in items) + closing
    return f"{flat}.{literal(value.then)}" if isinstance(value, Call) and value.then else flat


def width_of(source: str) -> int:
    """How many columns a line of source takes: Chinese characters take two, accents that are written alone none."""
    if source.isascii():
        return len(source)
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me") else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in source
    )


def imported(module: str, names: Sequence[tuple[str, str]]) -> Code:
    """An import of `names` from `module`, each with the name that it has here, as isort would write it."""

    def order(pair: tuple[str, str]) -> tuple[int, str]:
        return (0 if pair[0].isupper() else 1 if pair[0][0].isupper() else 2, pair[0])

    words = [
        identifier(name) if name == local else f"{identifier(name)} as {identifier(local)}"
        for name, local in sorted(names, key=order)
    ]
    flat = f"from {identifier(module)} import {', '.join(words)}"
    if width_of(flat) <= WIDTH:
        return Code(flat)
    return Code(f"from {identifier(module)} import (\n" + "".join(f"    {word},\n" for word in words) + ")")


def laid_out(value: Any, indent: int = 0, before: int = 0, after: int = 0) -> Code:
    """The source of `value` in one line where that fits, else with each item in a line of its own.

    `indent` is that of the line in which it begins, `before` and `after` what else stands in that line.
    """
    if isinstance(value, Call) and value.then:
        head = laid_out(replace(value, then=None, exploded=True), indent)
        return Code(f"{head}.{laid_out(value.then, indent, indent + 2, after)}")
    if not isinstance(value, (Call, list, Mapping)):
        return Code(literal(value))
    opening, items, closing = _parts(value)
    flats = [prefix + literal(item) for prefix, item in items]
    flat = opening + ", ".join(flats) + closing
    if not items or not (_is_exploded(value) or before + width_of(flat) + after > WIDTH):
        return Code(flat)
    inner = indent + 4
    place = _in_call if isinstance(value, Call) else laid_out
    lines = [
        line
        if inner + width_of(line) < WIDTH and not _is_exploded(item)
        else prefix + place(item, inner, inner + width_of(prefix), 1)
        for line, (prefix, item) in zip(flats, items, strict=True)
    ]
    return Code("\n".join([opening, *(f"{' ' * inner}{line}," for line in lines), " " * indent + closing]))


def _is_exploded(value: Any) -> bool:
    """Whether it is never in one line."""
    return isinstance(value, Call) and (value.exploded or value.then is not None)


def _in_call(value: Any, indent: int, before: int, after: int) -> Code:
    """An argument's source; a text of several lines that does not fit is written line by line, in brackets."""
    flat = literal(value)
    if not isinstance(value, str) or "\n" not in value.rstrip("\n") or before + width_of(flat) + after <= WIDTH:
        return laid_out(value, indent, before, after)
    lines = [" " * (indent + 4) + _text(line) for line in re.findall(r"[^\n]*\n|[^\n]+", value)]
    return Code("\n".join(["(", *lines, " " * indent + ")"]))


def docstring(sentences: Sequence[str]) -> Code:
    """The sentences as a docstring: in one line where they fit, else as paragraphs; without what would need escapes."""
    paragraphs = ["".join(_plain(character) for character in sentence).split() for sentence in sentences]
    flat = " ".join(" ".join(words) for words in paragraphs)
    if len(flat) <= WIDTH - 6:
        return Code(f'"""{flat}"""')
    return Code('"""' + "\n\n".join(_wrapped(words) for words in paragraphs) + '\n"""')


def _plain(character: str) -> str:
    return {"\\": "\\\\", '"': "'"}.get(character, character if character.isprintable() else " ")


def _wrapped(words: Sequence[str]) -> str:
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + 1 + len(word) > WIDTH - 3:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".lstrip()
    return "\n".join(lines)


def _parts(value: Any) -> tuple[str, list[tuple[str, Any]], str]:
    """How a value that holds others begins, the text before each of its items, and how it ends."""
    if isinstance(value, Call):
        items = [("", item) for item in value.positional]
        items += [(f"{_keyword(name)}=", item) for name, item in value.keywords.items()]
        return f"{identifier(value.function)}(", items, ")"
    if isinstance(value, list):
        return "[", [("", item) for item in value], "]"
    if isinstance(value, Mapping):
        return "{", [(f"{literal(key)}: ", item) for key, item in value.items()], "}"
    if isinstance(value, timedelta):
        return _parts(_duration(value))
    if isinstance(value, Reference):
        if value.port is None:
            return identifier(value.variable), [], ""
        if not value.port:
            return identifier(f"{value.variable}.output"), [], ""
        return f"{identifier(value.variable)}.output[", [("", value.port)], "]"
    raise TypeError(f"{type(value).__name__} has no literal")


def _keyword(name: str) -> Code:
    if "." in name:
        raise ValueError(f"{name!r} is not a Python name")
    return identifier(name)


def _duration(value: timedelta) -> Call:
    seconds = int(value.total_seconds())
    for unit, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds and seconds % length == 0:
            return Call("timedelta", keywords={unit: seconds // length})
    return Call("timedelta", keywords={"seconds": seconds})


def _text(text: str) -> str:
    quote = "'" if '"' in text and text.count('"') > text.count("'") else '"'
    if text.isprintable() and quote not in text and "\\" not in text:
        return quote + text + quote
    return quote + "".join(_escaped(character, quote) for character in text) + quote


def _escaped(character: str, quote: str) -> str:
    if character in ("\\", quote):
        return "\\" + character
    return character if character.isprintable() else repr(character)[1:-1]
