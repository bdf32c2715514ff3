"""One API call as a resource module sees it: who calls, with what, and how to answer or refuse."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .repository import Repository
from .store import Record, Store

__all__ = ["JOB", "OPERATOR", "Call", "Record", "Refusal", "Route", "now"]

OPERATOR = "operator"
JOB = "job"


def now() -> str:
    """The present moment as the API writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Refusal(Exception):
    """An answer with an error status, in GitLab's form `{"message": ...}`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass
class Call:
    """Path parts, parameters (query and JSON body together) and the state that the call works on."""

    store: Store
    caller: str
    url: str
    repositories: Callable[[int], Repository]
    path: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)

    def required(self, name: str) -> str:
        """The parameter's value; GitLab's 400 when it is missing."""
        value = self.parameters.get(name)
        if value in (None, ""):
            raise Refusal(400, f"{name} is missing")
        return str(value)

    def project(self) -> Record:
        """The project that the path names by number or by full path."""
        wanted = self.path["project"]
        found = self.store.find("projects", lambda p: wanted in (str(p["id"]), p["path_with_namespace"]))
        if found is None:
            raise Refusal(404, "404 Project Not Found")
        return found

    def page(self, path: str) -> str:
        """The address at which GitLab would show a thing of the project."""
        return f"{self.url}/{self.project()['path_with_namespace']}/-/{path}"

    def repository(self) -> Repository:
        """The project's bare repository."""
        return self.repositories(self.project()["id"])

    def collection(self, name: str) -> str:
        """The name of a collection that belongs to the project."""
        return f"{self.project()['id']}/{name}"


@dataclass(frozen=True)
class Route:
    """One API call: method, path below /api/v4, what answers it, and whether a job token may use it."""

    method: str
    path: str
    answer: Callable[[Call], Any]
    job_token: bool = False
    status: int = 200
