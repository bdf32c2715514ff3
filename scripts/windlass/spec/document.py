"""YAML as plain data with the place of every key and value; nothing in the file is executed or followed.

The tree is built from libyaml's events, not by PyYAML's composer: that one recurses in C and a file of a hundred
thousand brackets ends the whole process. Values follow YAML 1.2's core schema, and what YAML 1.1 would read in
another way (`no`, `1.10`, `12:30`) is a problem instead of a surprise.
"""

import re
from dataclasses import dataclass, field
from math import isinf
from typing import Any, NamedTuple

import yaml

from windlass.spec.problem import Edit, Problem

Location = tuple[str | int, ...]
"""The way from the document's root to a value: `("tasks", "extract", "clients", "needs", 0)`."""

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_VALUES = 50_000

_NUL = "the character U+0000 is not allowed, nor can it be written as an escape: no database keeps it in text"
_ODD_BREAK = re.compile("[\x85\u2028\u2029]|\r(?!\n)")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SURPRISING_WORD = re.compile(r"(?i:yes|no|on|off)")
_SURPRISING_NUMBER = re.compile(
    r"[-+]?(0[0-7_]+|0o[0-7]+|0b[01_]+|0x[0-9a-fA-F_]+|[0-9]+_[0-9_]*|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)"
)
_UNDERSCORED = re.compile(r"(?=[^_]*_)([-+]?[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)([eE][-+][0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LONGEST_NUMBER, _MOST_DIGITS = 39, 19
"""Characters of a number with a fraction, and of one without: all readers take so many."""
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_FLOAT_FOR_ALL = re.compile(r"[-+]?[0-9]+\.[0-9]*([eE][-+][0-9]+)?|\.[0-9]+([eE][-+][0-9]+)?")
_CONSTANTS = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_MAY_SURPRISE = frozenset("~nNtTfFyYoO+-.0123456789<")
"""With what a word begins that can be anything but text to some reader of YAML: most words need not be looked at."""


class Position(NamedTuple):
    """A place in a file; line and column count from 1. `path` is another file than the document's own."""

    line: int
    column: int
    path: str | None = None


@dataclass
class Document:
    """One YAML file: its value as plain data, where each key and value stands, and what is wrong with it as YAML."""

    path: str
    value: Any = None
    keys: dict[Location, Position] = field(default_factory=dict)
    values: dict[Location, Position] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    text: str = ""

    def at(self, location: Location) -> Any:
        """What was written at `location`, whether it fits or not; None where nothing was."""
        value = self.value
        for part in location:
            if not isinstance(value, dict) or part not in value:
                return None
            value = value[part]
        return value

    def problem(self, location: Location, rule: str, message: str, *, at_key: bool = False) -> Problem:
        """A problem at the value (or the key) of `location`; the nearest known parent stands in for a missing one."""
        while location and location not in self.values:
            location, at_key = location[:-1], True
        places = self.keys if at_key and location in self.keys else self.values
        place = places.get(location, Position(1, 1))
        if place.path is not None:
            return Problem(place.path, place.line, place.column, rule, message, used_by=(self.path,))
        return Problem(self.path, place.line, place.column, rule, message)


class _Mark(NamedTuple):
    """A place as libyaml gives it: line and column count from 0."""

    line: int
    column: int


class _Refused(Exception):
    """Reading stops here: the rest of the file has no meaning that could be trusted."""

    def __init__(self, mark: Any, rule: str, message: str) -> None:
        super().__init__(message)
        self.mark, self.rule, self.message = mark, rule, message


def parse_document(path: str, content: bytes) -> Document:
    """The document in `content`; whatever is wrong with it is in its `problems`, in one pass where that is possible."""
    document = Document(path)
    try:
        if len(content) > MAX_BYTES:
            raise _Refused(None, "syntax", f"the file has {len(content):,} bytes; at most {MAX_BYTES:,} are read")
        document.text = content.decode("utf-8")
        _check_lines(document.text)
        _Reader(document, document.text).read()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        document.problems.append(Problem(path, line, column, "syntax", "the file is not UTF-8 text"))
    except _Refused as refused:
        line, column = (refused.mark.line + 1, refused.mark.column + 1) if refused.mark else (1, 1)
        document.problems.append(Problem(path, line, column, refused.rule, refused.message))
    except yaml.reader.ReaderError as error:
        message = f"the character U+{_code_point(error):04X} is not allowed in YAML"
        document.problems.append(Problem(path, 1, 1, "syntax", message))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = " ".join(str(part) for part in (error.context, error.problem) if part)
        document.problems.append(Problem(path, line, column, "syntax", what))
    return document


def _check_lines(text: str) -> None:
    """Refuses what ends a line for YAML 1.1 and not for 1.2 or for editors: a comment's rest would be read as data."""
    if odd := _ODD_BREAK.search(text):
        line, column = text.count("\n", 0, odd.start()), odd.start() - text.rfind("\n", 0, odd.start()) - 1
        message = f"the character U+{ord(odd[0]):04X} ends a line for some readers of YAML only; take a line feed"
        raise _Refused(_Mark(line, column), "syntax", message)


def _code_point(error: yaml.reader.ReaderError) -> int:
    character = error.character
    return character if isinstance(character, int) else ord(character[:1] or "\0")


@dataclass(slots=True)
class _Open:
    """A collection that has not ended yet; `key` is the one whose value comes next, in a mapping."""

    value: Any
    location: Location
    anchor: str | None
    key: str | None = None


class _Reader:
    """Builds plain data from libyaml's events with an explicit stack, so that no nesting can exhaust the machine's."""

    def __init__(self, document: Document, text: str) -> None:
        self.document = document
        self.next_event = _LOADER(text).get_event
        self.anchors: dict[str, Any] = {}
        self.count = 0

    def read(self) -> None:
        self.next_event()  # the stream's start
        if isinstance(self.next_event(), yaml.StreamEndEvent):
            raise _Refused(None, "syntax", "the file is empty")
        self.document.value = self._build()
        self.next_event()  # the document's end
        after = self.next_event()
        if not isinstance(after, yaml.StreamEndEvent):
            raise _Refused(after.start_mark, "syntax", "a second document begins here; write one per file")

    def _build(self) -> Any:
        """The value that begins with the next event. Each kind of event is one class, none of which has others."""
        stack: list[_Open] = []
        while True:
            event = self.next_event()
            kind = type(event)
            if kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                ended = stack.pop()
                value = ended.value
                if ended.anchor:
                    self.anchors[ended.anchor] = value
            else:
                around = stack[-1] if stack else None
                if around is None:
                    location: Location = ()
                    value = self._value(event, location)
                elif type(around.value) is list:
                    location = (*around.location, len(around.value))
                    value = self._value(event, location)
                    around.value.append(value)
                elif around.key is None:
                    around.key = self._key(event, around.value, around.location)
                    continue
                else:
                    location = (*around.location, around.key)
                    value = self._value(event, location)
                    around.value.setdefault(around.key, value)
                    around.key = None
                if kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                    if len(stack) >= MAX_DEPTH:
                        raise _Refused(event.start_mark, "syntax", f"nested more than {MAX_DEPTH} deep")
                    stack.append(_Open(value, location, event.anchor))
            if not stack:
                return value

    def _key(self, event: Any, mapping: dict[str, Any], parent: Location) -> str:
        mark = event.start_mark
        if type(event) is not yaml.ScalarEvent:
            raise _Refused(mark, "syntax", "a key must be a word, not a list, a mapping or an alias")
        key: str = event.value
        if "\0" in key:
            raise _Refused(mark, "syntax", _NUL)
        if event.implicit[0] and key[:1] in _MAY_SURPRISE:
            if key == "<<":
                raise _Refused(mark, "syntax", "merge keys (<<) are not part of the language; repeat the keys")
            self._surprise(event)
        place = Position(mark.line + 1, mark.column + 1)
        location = (*parent, key)
        if key in mapping:
            first = self.document.keys[location]
            message = f"key {key!r} is given twice, first in line {first.line}"
            self.document.problems.append(
                Problem(self.document.path, place.line, place.column, "duplicate-key", message)
            )
        else:
            self.document.keys[location] = place
        return key

    def _value(self, event: Any, location: Location) -> Any:
        mark, kind = event.start_mark, type(event)
        self.document.values.setdefault(location, Position(mark.line + 1, mark.column + 1))
        if kind is yaml.AliasEvent:
            return self._aliased(event, len(location))
        if event.tag is not None and event.tag != "!":
            raise _Refused(mark, "syntax", f"tag {event.tag!r} is not allowed; write the plain value")
        self._spend(mark, 1)
        if kind is not yaml.ScalarEvent:
            return {} if kind is yaml.MappingStartEvent else []
        text = event.value
        if "\0" in text:
            raise _Refused(mark, "syntax", _NUL)
        value = self._scalar(event) if event.implicit[0] and (not text or text[0] in _MAY_SURPRISE) else text
        if event.anchor:
            self.anchors[event.anchor] = value
        return value

    def _aliased(self, event: Any, around: int) -> Any:
        """A copy of what the alias stands for; `around` collections are open around it."""
        if event.anchor not in self.anchors:
            raise _Refused(event.start_mark, "syntax", f"alias '*{event.anchor}' has no anchor before it")
        copy, size, depth = _copy(self.anchors[event.anchor], MAX_VALUES - self.count)
        if around + depth > MAX_DEPTH:
            why = f"nested more than {MAX_DEPTH} deep once its aliases are followed"
            raise _Refused(event.start_mark, "syntax", why)
        self._spend(event.start_mark, size)
        return copy

    def _spend(self, mark: Any, size: int) -> None:
        self.count += size
        if self.count > MAX_VALUES:
            raise _Refused(mark, "syntax", f"more than {MAX_VALUES:,} values once its aliases are followed")

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        if text in _CONSTANTS:
            return None
        if text in _BOOLEANS:
            return _BOOLEANS[text]
        if self._surprise(event):
            return text
        if _INTEGER.fullmatch(text):
            return int(text)
        return float(text) if _FLOAT.fullmatch(text) else text

    def _surprise(self, event: Any) -> bool:
        """Whether readers of YAML 1.1 and 1.2 would disagree about this unquoted word; says so in a problem."""
        text, advice = event.value, "put it in quotes"
        if _SURPRISING_WORD.fullmatch(text):
            meaning, advice = "true or false", "put it in quotes, or write true or false"
        elif _SURPRISING_NUMBER.fullmatch(text):
            meaning = "a number in base 60, 2, 8 or 16"
        elif re.fullmatch(r"[-+]?[0-9]+\.[0-9]*0", text) and not re.fullmatch(r"[-+]?[0-9]+\.0", text):
            meaning = f"the number {float(text)!r}"
        elif _FLOAT.fullmatch(text) and not _INTEGER.fullmatch(text) and not _FLOAT_FOR_ALL.fullmatch(text):
            meaning, advice = "text", "put it in quotes, or write it like 1.0e+3"
        elif _UNDERSCORED.fullmatch(text):
            meaning = f"the number {text.replace('_', '')}"
        elif _NOT_FINITE.fullmatch(text):
            meaning = "a number that is not finite"
        elif _FLOAT.fullmatch(text) and _is_inexact(text):
            meaning = "another number"
        else:
            return False
        message = f"{text!r} without quotes is {meaning} for some readers of YAML; {advice}"
        mark = event.start_mark
        edit = Edit(text, f'"{text}"')
        problem = Problem(self.document.path, mark.line + 1, mark.column + 1, "yaml-surprise", message, edit)
        self.document.problems.append(problem)
        return True


def _is_inexact(number: str) -> bool:
    """Whether a number is too long or too large for what readers of YAML and JSON keep numbers in."""
    digits = number.lstrip("-+")
    longest = _MOST_DIGITS if digits.isdecimal() else _LONGEST_NUMBER
    return len(digits) > longest or isinf(float(digits))


def _copy(value: Any, budget: int) -> tuple[Any, int, int]:
    """A deep copy of plain data, the number of its values and its depth; stops counting once `budget` is exceeded."""
    if not isinstance(value, (dict, list)):
        return value, 1, 0
    size, depth = 1, 0
    items = value.items() if isinstance(value, dict) else enumerate(value)
    copies: dict[Any, Any] = {}
    for key, item in items:
        copies[key], used, below = _copy(item, budget - size)
        size, depth = size + used, max(depth, below)
        if size > budget:
            break
    return (copies if isinstance(value, dict) else list(copies.values())), size, depth + 1
