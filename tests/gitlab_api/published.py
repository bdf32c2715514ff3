"""GitLab's published API as `published.json` has it noted down, and what a request has that is not in it."""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

TABLE = Path(__file__).with_name("published.json")
BELOW = "/api/v4"
PASSED_OVER = {
    ("POST", "/projects/{}/merge_requests/{}/notes", "system"): "a test forges a note; GitLab does not look at it",
    ("PUT", "/projects/{}/releases/{}", "evidences"): "python-gitlab sends lists back that it was given",
    ("PUT", "/projects/{}/repository/files/{}", "file_path"): "python-gitlab says the path twice",
}
"""Parameters that GitLab does not know and does not mind, and why they are sent."""

Kind = str | list[Any]


@dataclass(frozen=True)
class Published:
    """One call: its parameters with type or values, those that must be given, and the status codes of success."""

    method: str
    path: str
    source: tuple[str, ...]
    answers: tuple[int, ...]
    gives: str | None = None
    query: dict[str, Kind] = field(default_factory=dict)
    body: dict[str, Kind] = field(default_factory=dict)
    required: tuple[str, ...] = ()

    @property
    def parameters(self) -> dict[str, Kind]:
        """By name; GitLab takes those of a body from the address too."""
        return self.query | self.body

    @property
    def shape(self) -> str:
        """The path with its parts that vary left empty."""
        return shape(self.path)


@cache
def table() -> dict[str, Any]:
    """All that is noted down."""
    noted: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return noted


@cache
def calls() -> dict[tuple[str, str], Published]:
    """The calls by method and shape."""
    found = {}
    for name, told in table()["calls"].items():
        method, _, path = name.partition(" ")
        call = Published(
            method,
            path,
            tuple(told["source"]),
            tuple(told["answers"]),
            told.get("gives"),
            told.get("query", {}),
            told.get("body", {}),
            tuple(told.get("required", ())),
        )
        found[method, call.shape] = call
    return found


def shape(path: str) -> str:
    """The path with `{}` for each part in braces."""
    return "/".join("{}" if part.startswith("{") else part for part in path.split("/"))


def call_at(method: str, address: str) -> Published | None:
    """The call that GitLab takes the address for; what is written out goes before what varies."""
    parts = urlsplit(address).path.removeprefix(BELOW).split("/")
    fitting = [call for (own, _), call in calls().items() if own == method and _fits(call.path.split("/"), parts)]
    return min(fitting, key=lambda call: call.shape.count("{}"), default=None)


def wrong(method: str, address: str, body: bytes, status: int | None) -> list[str]:
    """What the request has that GitLab does not publish, or lacks; nothing where it was refused, as it should be."""
    path = urlsplit(address).path
    if not path.startswith(f"{BELOW}/") or (status is not None and 400 <= status < 500):
        return []
    call = call_at(method, address)
    if call is None:
        return [f"{method} {path}: GitLab publishes no such call"]
    given = _query(address) | _body(call, body)
    return [f"{method} {call.path}: {problem}" for problem in _problems(call, given)]


def _problems(call: Published, given: dict[str, Any]) -> list[str]:
    known = table()["everywhere"] | call.parameters if call.method == "GET" else call.parameters
    found = [f"{name!r} is missing" for name in call.required if given.get(name) in (None, "")]
    for name, value in given.items():
        if (call.method, call.shape, name) in PASSED_OVER:
            continue
        if name not in known:
            found.append(f"GitLab publishes no parameter {name!r}")
        elif value is not None and not is_of(value, known[name]):
            found.append(f"{name}={value!r} is not {known[name]!r}")
    return found


def is_of(value: Any, kind: Kind) -> bool:
    """Whether the value is of that type; in an address (`Text`) it is text that can be read as one."""
    if isinstance(kind, list):
        return str(value) in [str(one) for one in kind]
    if kind.startswith("["):
        several = value.split(",") if isinstance(value, str) else value
        inner = kind.strip("[]")
        return isinstance(several, list) and all(is_of(_like(value, one), inner) for one in several)
    return any(_is_one(value, one) for one in kind.split("|"))


class Text(str):
    """A value in an address, where everything is text."""


def _is_one(value: Any, kind: str) -> bool:
    is_text = isinstance(value, Text)
    if kind == "boolean":
        return value.lower() in ("true", "false", "0", "1") if is_text else isinstance(value, bool)
    if kind == "integer":
        return value.isdecimal() if is_text else isinstance(value, int) and not isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float | Text)
    if kind == "object":
        return isinstance(value, dict)
    if kind == "array":
        return isinstance(value, list)
    if kind == "binary":
        return isinstance(value, bytes)
    return isinstance(value, str)


def _like(whole: Any, part: Any) -> Any:
    return Text(part) if isinstance(whole, Text) or isinstance(part, Text) else part


def _fits(pattern: list[str], parts: list[str]) -> bool:
    pairs = zip(pattern, parts, strict=False)
    return len(pattern) == len(parts) and all(own.startswith("{") or own == part for own, part in pairs)


def _query(address: str) -> dict[str, Any]:
    """`name[]=a&name[]=b` is a list, `name[key]=a` an object."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(urlsplit(address).query, keep_blank_values=True):
        base, _, key = name.removesuffix("]").partition("[")
        if "[" not in name:
            found[base] = Text(value)
        elif key:
            found.setdefault(base, {})[key] = Text(value)
        else:
            found.setdefault(base, []).append(Text(value))
    return found


def _body(call: Published, body: bytes) -> dict[str, Any]:
    """The members of a JSON object; a file is sent as it is."""
    if not body:
        return {}
    if call.body.get("file") == "binary":
        return {"file": body}
    value = json.loads(body)
    return value if isinstance(value, dict) else {"(body)": value}
