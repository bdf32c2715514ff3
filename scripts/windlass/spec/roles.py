"""Roles: who a data engineer, a manager... is, as `environments/roles.yml` names GitLab's users and groups."""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from windlass.spec.document import Document, Location
from windlass.spec.problem import Problem, near
from windlass.spec.schema import Noun, read_noun

ROLES_FILE = "environments/roles.yml"
_ROLE = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")
_GROUP = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


def check_role(value: str) -> str:
    """`value` itself when it can name a role; ValueError otherwise."""
    if not _ROLE.fullmatch(value):
        raise ValueError(f"{value!r} is no role's name; write it like data-engineer")
    return value


def check_user(value: str) -> str:
    """`value` itself when it is a user's name as GitLab has them; ValueError otherwise."""
    if not _USER.fullmatch(value):
        raise ValueError(f"{value!r} is no user's name in GitLab; write it without the @")
    return value


def check_group(value: str) -> str:
    """`value` itself when it is the path of a group; ValueError otherwise."""
    if not _GROUP.fullmatch(value):
        raise ValueError(f"{value!r} is no path of a group in GitLab; write it like platform/engineers")
    return value


RoleName = Annotated[str, AfterValidator(check_role)]
Username = Annotated[str, AfterValidator(check_user)]
GroupPath = Annotated[str, AfterValidator(check_group)]


class Role(Noun):
    """Who holds a role: users by their names, and all members of groups."""

    users: list[Username] = []
    groups: list[GroupPath] = []

    @model_validator(mode="after")
    def _has_somebody(self) -> Self:
        if not (self.users or self.groups):
            raise ValueError("name users, groups or both: nobody could hold this role")
        return self

    @property
    def most(self) -> int | None:
        """How many people can hold it at most; None where groups decide that."""
        return None if self.groups else len(names(self.users))


Roles = Mapping[str, Role]


def read_roles(document: Document) -> dict[str, Role] | None:
    """The roles by name; None, with problems in the document, when any of them cannot be understood."""
    value = document.value
    if not isinstance(value, dict):
        if not document.problems:
            document.problems.append(document.problem((), "schema", "roles.yml holds roles by name, each a mapping"))
        return None
    found: dict[str, Role] = {}
    for name, written in value.items():
        try:
            check_role(name)
        except ValueError as error:
            document.problems.append(document.problem((name,), "schema", str(error), at_key=True))
        part = _Part(document, name, written)
        role = read_noun(part, Role)
        document.problems.extend(part.problems)
        if role is not None:
            found[name] = role
    return None if document.problems else found


class _Part(Document):
    """One role of the file as a document of its own, whose problems are at their places in the file."""

    def __init__(self, whole: Document, name: str, value: object) -> None:
        super().__init__(whole.path, value)
        self._whole, self._name = whole, name
        if value is None:
            self.value = {}

    def problem(self, location: Location, rule: str, message: str, *, at_key: bool = False) -> Problem:
        message = message.replace("the file: ", f"{self._name}: ").replace(" in the file", f" in {self._name}")
        return self._whole.problem((self._name, *location), rule, message, at_key=at_key or not location)


def names(users: Iterable[str]) -> frozenset[str]:
    """Users' names as they are compared: GitLab does not tell Ann from ann."""
    return frozenset(user.casefold() for user in users)


def unknown_role(name: str, roles: Iterable[str]) -> str:
    """The sentence about a role that nobody described."""
    return f"there is no role {name!r} in {ROLES_FILE}{near(name, roles)}"
