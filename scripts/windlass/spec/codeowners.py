"""Who owns which paths, in the syntax of GitLab's CODEOWNERS: `environments/CODEOWNERS` of the platform's repository.

Owners are `@user`, `@group/path` and `@@role`, a role of roles.yml. Sections `[Models][2] @@data-engineer` ask for so
many approvals of each of their rules that a change touches, `^[Section]` asks for none. In each section the last rule
that a path fits counts.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from windlass.spec.document import MAX_BYTES, Document, Position
from windlass.spec.problem import Problem
from windlass.spec.roles import Roles, unknown_role

OWNERS_FILE = "environments/CODEOWNERS"
RULE = "code-owners"
_SECTION = re.compile(r"(?P<optional>\^)?\[(?P<name>[^\]]+)\](?:\[(?P<count>[^\]]*)\])?(?P<owners>(\s.*)?)")
_OWNER = re.compile(r"@@(?P<role>[A-Za-z0-9_-]+)|@(?P<group>[\w.-]+(/[\w.-]+)+)|@(?P<user>[\w.-]+)")
_WORD = re.compile(r"(?:\\.|[^\s\\])+")
_MOST = 20


@dataclass(frozen=True)
class Owners:
    """Users, groups and roles, each of whose people may approve; their names as they were written."""

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.users or self.groups or self.roles)

    def describe(self) -> str:
        """The owners as the file names them."""
        words = [f"@{one}" for one in (*self.users, *self.groups)] + [f"@@{one}" for one in self.roles]
        return ", ".join(words)


@dataclass(frozen=True)
class OwnedPath:
    """One rule: the paths that fit `pattern` need so many approvals of `owners`; with `excluded` they need none."""

    line: int
    pattern: str
    owners: Owners
    excluded: bool = False

    def fits(self, path: str) -> bool:
        """Whether the rule is about `path`, relative to the repository."""
        return _expression(self.pattern).fullmatch(f"/{path}") is not None


@dataclass
class Section:
    """The rules under one heading; `name` is empty before the first one."""

    name: str = ""
    count: int = 1
    optional: bool = False
    rules: list[OwnedPath] = field(default_factory=list)

    def asked(self, paths: Iterable[str]) -> dict[OwnedPath, list[str]]:
        """Each rule that counts for some of `paths`, with those."""
        found: dict[OwnedPath, list[str]] = {}
        for path in paths:
            fitting = [rule for rule in self.rules if rule.fits(path)]
            if fitting and not any(rule.excluded for rule in fitting):
                found.setdefault(fitting[-1], []).append(path)
        return found


@dataclass(frozen=True)
class CodeOwners:
    """All sections, and every role that is named with its line and column."""

    sections: tuple[Section, ...] = ()
    roles: tuple[tuple[str, int, int], ...] = ()

    def unknown_roles(self, roles: Roles) -> Iterator[tuple[int, int, str]]:
        """Line, column and sentence for each role that roles.yml does not have."""
        for name, line, column in self.roles:
            if name not in roles:
                yield line, column, unknown_role(name, roles)


def parse_owners(path: str, content: bytes) -> tuple[CodeOwners, Document]:
    """The rules in `content`, and a document whose problems are all that is wrong with it."""
    document = Document(path, values={(): Position(1, 1)})
    if len(content) > MAX_BYTES:
        document.problems.append(Problem(path, 1, 1, RULE, f"the file has more than {MAX_BYTES:,} bytes"))
        return CodeOwners(), document
    try:
        document.text = content.decode()
    except UnicodeDecodeError as error:
        where = content.count(b"\n", 0, error.start) + 1
        document.problems.append(Problem(path, where, 1, RULE, "the file is not UTF-8 text"))
        return CodeOwners(), document
    reader = _Reader(document)
    for number, line in enumerate(document.text.split("\n"), 1):
        reader.read(number, line.rstrip("\r"))
    return CodeOwners(tuple(reader.sections.values()), tuple(reader.roles)), document


class _Reader:
    """Reads line by line; sections of the same name, whatever its case, are one."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.sections: dict[str, Section] = {"": Section()}
        self.roles: list[tuple[str, int, int]] = []
        self._section, self._default = self.sections[""], Owners()

    def read(self, number: int, line: str) -> None:
        text = line.strip()
        if not text or text.startswith("#"):
            return
        if text.startswith(("[", "^[")):
            self._heading(number, line, text)
        else:
            self._rule(number, line)

    def _heading(self, number: int, line: str, text: str) -> None:
        match = _SECTION.fullmatch(text)
        if match is None:
            self._wrong(number, 1, f"{text!r} is no section; write it like [Models], [Models][2] or ^[Models]")
            return
        name, count = match["name"].strip(), match["count"]
        if count is not None and not (count.isdecimal() and 1 <= int(count) <= _MOST):
            column = line.index(f"[{count}]", line.index("]")) + 2
            self._wrong(
                number, column, f"{count!r} is no number of approvals; take 1 to {_MOST}, or ^[{name}] for none"
            )
            count = None
        section = self.sections.setdefault(name.casefold(), Section(name, optional=bool(match["optional"])))
        section.count = max(section.count, int(count or 1))
        section.optional = section.optional and bool(match["optional"])
        self._section = section
        self._default = self._owners(number, line, line.index("]", line.rfind("][") + 1) + 1)

    def _rule(self, number: int, line: str) -> None:
        match = _WORD.match(line, len(line) - len(line.lstrip()))
        if match is None:
            self._wrong(number, 1, "the line ends in a backslash")
            return
        pattern = re.sub(r"\\(.)", r"\1", match[0])
        if excluded := match[0].startswith("!"):
            pattern = pattern[1:]
        if wrong := _fits_less_than_it_seems(pattern):
            self._wrong(number, match.start() + 1, wrong)
        before = len(self.document.problems)
        owners = self._owners(number, line, match.end())
        if not owners and len(self.document.problems) == before:
            owners = self._default
            if not owners and not excluded:
                self._wrong(number, 1, f"{pattern!r} has no owner; name @user, @group/path or @@role")
        self._section.rules.append(OwnedPath(number, pattern, owners, excluded))

    def _owners(self, number: int, line: str, start: int) -> Owners:
        found: dict[str, list[str]] = {"user": [], "group": [], "role": []}
        for word in re.finditer(r"\S+", line[start:]):
            column = start + word.start() + 1
            if word[0].startswith("#"):
                break
            match = _OWNER.fullmatch(word[0])
            if match is None:
                why = "an address tells nobody's name in GitLab" if "@" in word[0][1:] else "it begins with no @"
                self._wrong(number, column, f"{word[0]!r} is no owner: {why}; name @user, @group/path or @@role")
                continue
            for kind in found:
                if match[kind]:
                    found[kind].append(match[kind])
            if match["role"]:
                self.roles.append((match["role"], number, column))
        return Owners(tuple(found["user"]), tuple(found["group"]), tuple(found["role"]))

    def _wrong(self, line: int, column: int, message: str) -> None:
        self.document.problems.append(Problem(self.document.path, line, column, RULE, message))


def _fits_less_than_it_seems(pattern: str) -> str | None:
    """Why the pattern is refused: GitLab takes it, and it fits fewer paths than who wrote it meant, or none."""
    if pattern.endswith("/**"):
        below = pattern.removesuffix("**")
        return f"{pattern!r} fits what lies in that folder itself only; write {below!r} for everything below it"
    if {".", ".."} & set(pattern.split("/")) or "//" in pattern:
        return f"{pattern!r} fits nothing; write paths relative to the repository, without . and .."
    return None


@lru_cache(maxsize=1024)
def _expression(pattern: str) -> re.Pattern[str]:
    """What GitLab makes of a pattern: `*` stays in a folder, `**/` goes through any, a `/` at the end means all below.

    >>> bool(_expression("*.yml").fullmatch("/pipelines/a.yml"))
    True
    """
    if pattern == "*":
        return re.compile(r"/.*", re.S)
    whole = pattern if pattern.startswith("/") else f"/**/{pattern}"
    whole += "**/*" if whole.endswith("/") else ""
    whole = re.sub(r"(\*\*/)+", "**/", whole)  # the same, and no path takes minutes
    parts: list[str] = []
    position = 0
    while position < len(whole):
        rest = whole[position:]
        if rest.startswith("**/"):
            parts.append(r"(?:[^/]+/)*")
            position += 3
        elif rest.startswith("*"):
            length = len(rest) - len(rest.lstrip("*"))
            parts.append(r"[^/]*")
            position += length
        elif rest.startswith("?"):
            parts.append(r"[^/]")
            position += 1
        elif (match := re.match(r"\[(!|\^)?([^\]/]+)\]", rest)) is not None:
            inside = match[2].replace("\\", r"\\").replace("[", r"\[").replace("^", r"\^").replace("&", r"\&")
            parts.append(f"[{'^' if match[1] else ''}{inside}]")
            position += match.end()
        else:
            parts.append(re.escape(rest[0]))
            position += 1
    try:
        return re.compile("".join(parts), re.S)
    except re.error:
        return re.compile(re.escape(whole), re.S)
