"""Who gets where: whose token this is, who starts pipelines, who reads the platform, and who is in a role's groups."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from gitlab.exceptions import GitlabError

from windlass.adapters.gitlab.connection import Connection
from windlass.adapters.gitlab.project_part import everything, read_part
from windlass.spec.project_settings import Group, Readers, Token, TokenKind, Unseen

REPORTER, DEVELOPER = 20, 30
_ROBOT = re.compile(r"(?P<kind>project|group)_\d+_bot.*|service_account_.*", re.S)

Answer = TypeVar("Answer")


class AccessReader:
    """Asks about people and tokens; `variables` are those of the job that this may be."""

    def __init__(self, connection: Connection, variables: Mapping[str, str]) -> None:
        self._connection = connection
        self._client = connection.client
        self._project = connection.project
        self._variables = variables

    def token(self) -> Token | Unseen:
        """Whose token this is."""
        return read_part(self._connection, "the owner of the token", "needs the scope read_api", self._token)

    def starters(self) -> frozenset[str] | Unseen:
        """Who may start pipelines of the project."""
        return read_part(
            self._connection,
            "the project's members",
            "needs the scope read_api",
            lambda: _names(everything(self._project.members_all), DEVELOPER),
        )

    def platform_readers(self, platform: str) -> Readers | Unseen:
        """Who may read the platform's code: a pipeline includes its files as the person who started it."""

        other = self._client.projects.get(platform, lazy=True)

        def question() -> Readers:
            found = self._client.projects.get(platform, obey_rate_limit=False)
            if is_open(found.attributes):
                return Readers(everybody=True)
            return Readers(people=_names(everything(other.members_all), REPORTER))

        needs = "needs the role Reporter in the platform project"
        return read_part(self._connection, "the platform's members", needs, question)

    def groups(self, paths: Iterable[str]) -> Mapping[str, Group | None] | Unseen:
        """Each group, with its members where they are told."""
        wanted = list(paths)
        return read_part(
            self._connection, "groups", "needs the scope read_api", lambda: {one: self._group(one) for one in wanted}
        )

    def _token(self) -> Token:
        user = self._client.http_get("/user", obey_rate_limit=False)
        if not isinstance(user, dict):
            raise TypeError(user)
        given = self._variables
        in_job = bool(given.get("CI_JOB_TOKEN"))
        member = _unless(404, lambda: self._project.members_all.get(int(user["id"]), obey_rate_limit=False))
        return Token(
            owner=str(user["username"]),
            kind=_kind(user),
            level=int(member.access_level) if member is not None else 0,
            in_job=in_job,
            environment=given.get("CI_ENVIRONMENT_NAME", "") if in_job else "",
            on_open_branch=in_job and given.get("CI_COMMIT_REF_PROTECTED") == "false",
        )

    def _group(self, path: str) -> Group | None:
        found = _unless(404, lambda: self._client.groups.get(path, with_projects=False, obey_rate_limit=False))
        if found is None:
            return None
        members = _unless(403, lambda: _names(everything(found.members_all), 0))
        return Group(str(found.attributes.get("visibility", "private")) == "private", members)


def is_open(project: dict[str, Any]) -> bool:
    """Whether everybody with an account reads the project's code; job tokens do then, whatever the list says."""
    is_shown = project.get("visibility") in ("public", "internal")
    return is_shown and project.get("repository_access_level", "enabled") == "enabled"


def _kind(user: dict[str, Any]) -> TokenKind:
    robot = _ROBOT.fullmatch(str(user["username"]))
    if robot is None:
        return "service account" if user.get("bot") is True else "person"
    return "project" if robot["kind"] == "project" else "group" if robot["kind"] else "service account"


def _names(members: list[dict[str, Any]], level: int) -> frozenset[str]:
    """Those of the members who are active and have the level, as names are compared."""
    active = (one for one in members if one.get("state", "active") == "active" and int(one["access_level"]) >= level)
    return frozenset(str(one["username"]).casefold() for one in active)


def _unless(code: int, question: Callable[[], Answer]) -> Answer | None:
    """The answer; None where GitLab refuses it with this code."""
    try:
        return question()
    except GitlabError as error:
        if error.response_code != code:
            raise
        return None
