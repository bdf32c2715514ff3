"""One API call as a resource module sees it: who calls, with what, and how to answer or refuse."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from . import access
from .access import ADMIN, ANONYMOUS, DEVELOPER, GUEST, MAINTAINER, OWNER, REPORTER, Caller
from .repository import Repository
from .store import Record, Store

__all__ = [
    "ADMIN",
    "DEVELOPER",
    "GUEST",
    "MAINTAINER",
    "OWNER",
    "REPORTER",
    "Call",
    "Raw",
    "Record",
    "Refusal",
    "Route",
    "now",
]


def now() -> str:
    """The present moment as the API writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Refusal(Exception):
    """An answer with an error status, in GitLab's form `{"message": ...}`."""

    def __init__(self, status: int, message: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Raw:
    """An answer that is a file."""

    content: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """Path parts, parameters (query and JSON body together) and the state that the call works on."""

    store: Store
    url: str
    repositories: Callable[[int], Repository]
    caller: Caller = ANONYMOUS
    path: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    body: bytes = b""

    def required(self, name: str) -> str:
        """The parameter's value; GitLab's 400 when it is missing."""
        value = self.parameters.get(name)
        if value in (None, ""):
            raise Refusal(400, f"{name} is missing")
        return str(value)

    def number(self, name: str) -> int:
        """The parameter's value as a number."""
        try:
            return int(self.required(name))
        except ValueError as error:
            raise Refusal(400, f"{name} is invalid") from error

    def flag(self, name: str, otherwise: bool = False) -> bool:
        """The parameter's value as yes or no."""
        value = self.parameters.get(name)
        return otherwise if value is None else value in (True, 1, "1", "true", "True")

    def among(self, name: str, values: tuple[str, ...], otherwise: str) -> str:
        """The parameter's value, one of `values`."""
        value = str(self.parameters.get(name) or otherwise)
        if value not in values:
            raise Refusal(400, f"{name} does not have a valid value")
        return value

    def several(self, name: str) -> list[str] | None:
        """The parameter's values, sent one by one or with commas between them; None where it is not given."""
        value = self.parameters.get(name)
        if value is None or isinstance(value, list):
            return None if value is None else [str(one) for one in value]
        return [one.strip() for one in str(value).split(",")]

    def given(self, *names: str) -> dict[str, Any]:
        """The parameters of these names that the call has."""
        return {name: self.parameters[name] for name in names if name in self.parameters}

    def user(self) -> Record:
        """Who calls; refused when nobody is known."""
        if self.caller.user is None:
            raise Refusal(401, "401 Unauthorized")
        return self.caller.user

    def need_admin(self) -> None:
        """Refuses everybody but an administrator in person."""
        if self.caller.job or not self.user().get("is_admin"):
            raise Refusal(403, "403 Forbidden")

    def project(self) -> Record:
        """The project that the path names by number or by full path, if the caller may know of it."""
        wanted = self.path["project"]
        found = self.store.find("projects", lambda p: wanted in (str(p["id"]), p["path_with_namespace"]))
        if found is None or not (self.level(found) or self.may_see(found)):
            raise Refusal(404, "404 Project Not Found")
        return found

    def may_see(self, project: Record) -> bool:
        """Whether somebody with no role in the project sees it."""
        visibility = project["visibility"]
        return visibility == "public" or (visibility == "internal" and self.caller.user is not None)

    def level(self, project: Record) -> int:
        """The caller's access level; a job has its user's, in its own project and where that is on the allowlist."""
        job = self.caller.job
        if job is not None and job["project_id"] != project["id"] and not self._is_on_allowlist(job, project):
            return 0
        return access.level(self.store, self.caller.user, project)

    def need(self, level: int, reading: bool = False) -> None:
        """Refuses a caller with a lower level; what a reporter may read, everybody may in a public project."""
        project = self.project()
        if reading and level <= REPORTER and self.may_see(project):
            return
        self.user()
        if self.level(project) < level:
            raise Refusal(403, "403 Forbidden")

    def page(self, path: str) -> str:
        """The address at which GitLab would show a thing of the project."""
        return f"{self.url}/{self.project()['path_with_namespace']}/-/{path}"

    def repository(self) -> Repository:
        """The project's bare repository."""
        return self.repositories(self.project()["id"])

    def collection(self, name: str) -> str:
        """The name of a collection that belongs to the project."""
        return f"{self.project()['id']}/{name}"

    def one(self, name: str, key: str, part: str, missing: str = "404 Not found") -> Record:
        """The record of the project's collection whose `key` is the path's `part`."""
        wanted = self.path[part]
        found = self.store.find(self.collection(name), lambda record: str(record[key]) == wanted)
        if found is None:
            raise Refusal(404, missing)
        return found

    def person(self, user_id: int) -> Record:
        """A user as other people see them."""
        found = self.store.find("users", lambda user: bool(user["id"] == user_id))
        return self.shown_person(found or {"id": user_id, "username": "ghost", "name": "Ghost User", "state": "active"})

    def shown_person(self, user: Record) -> Record:
        """The public part of a user's record."""
        shown = {name: user[name] for name in ("id", "username", "name", "state")}
        return shown | {"avatar_url": None, "web_url": f"{self.url}/{user['username']}"}

    def _is_on_allowlist(self, job: Record, project: Record) -> bool:
        if not project.get("limits_job_tokens", True):
            return True
        entries = self.store.records(f"{project['id']}/job_token_allowlist")
        source = self.store.find("projects", lambda p: bool(p["id"] == job["project_id"]))
        groups = {g["id"] for g in self.store.records("groups") if source and _inside(source, str(g["full_path"]))}
        return any(e["project_id"] == job["project_id"] or e["group_id"] in groups for e in entries)


def _inside(project: Record, group: str) -> bool:
    return str(project["path_with_namespace"]).startswith(f"{group}/")


@dataclass(frozen=True)
class Route:
    """One API call: method, path below /api/v4, what answers it, and the role that it takes in the project."""

    method: str
    path: str
    answer: Callable[[Call], Any]
    level: int = REPORTER
    status: int = 200
    keyset: bool = False
    """Whether GitLab offers keyset pagination for this list."""
