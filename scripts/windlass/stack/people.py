"""The people of the GitLab stand-in: users with tokens, their roles, and pipelines that are theirs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from windlass.spec.errors import ServiceError

ROOT = "root"
"""The operator of the stack."""

DEVELOPER = 30


@dataclass
class Started:
    """A running pipeline and the token that its jobs have."""

    pipeline: dict[str, Any]
    token: str = field(repr=False)
    ended_well: bool = False


def client(url: str, token: str) -> Any:
    """The stand-in as the owner of the token sees it."""
    import gitlab

    found = gitlab.Gitlab(url, private_token=token)
    found.session.trust_env = False
    return found


def group_at(api: Any, path: str) -> int:
    """The number of the group at `path`, which is made, with those above it, where there is none."""
    import gitlab

    try:
        return int(api.groups.get(path).id)
    except gitlab.GitlabGetError as missing:
        if missing.response_code != 404:
            raise
    above, _, name = path.rpartition("/")
    parent = {"parent_id": group_at(api, above)} if above else {}
    return int(api.groups.create({"name": name, "path": name, **parent}).id)


class People:
    """Users and their pipelines, as the operator arranges them."""

    def __init__(self, url: str, operator_token: str) -> None:
        self._url, self._token = url, operator_token
        self._api = client(url, operator_token)

    def user(self, name: str) -> Any:
        """The user of this name, made when there is none."""
        for user in self._api.users.list(username=name, get_all=True):
            return user
        told = {"username": name, "name": name.capitalize(), "email": f"{name}@windlass.local"}
        return self._api.users.create({**told, "reset_password": True})

    def api(self, name: str) -> Any:
        """The stand-in as the user sees it."""
        return client(self._url, self.token(name))

    def token(self, name: str, scopes: tuple[str, ...] = ("api",)) -> str:
        """A new personal token of the user; ROOT has the operator's."""
        if name == ROOT:
            return self._token
        made = self.user(name).personal_access_tokens.create({"name": "rehearsal", "scopes": list(scopes)})
        return str(made.token)

    def join(self, name: str, project: Any, level: int = DEVELOPER) -> bool:
        """Whether the user has become a member of the project: somebody with a role keeps it."""
        user = self.user(name)
        if name == ROOT or any(member.id == user.id for member in project.members_all.list(get_all=True)):
            return False
        project.members.create({"user_id": user.id, "access_level": level})
        return True

    @contextmanager
    def pipeline(self, project: Any, user: str, about: dict[str, Any]) -> Iterator[Started]:
        """A pipeline of `user` (ref, sha, tag, source) that runs inside of the `with`, and its token as long."""
        pipeline = self.ask("POST", f"projects/{project.id}/pipelines", {**about, "user": user})
        job = self.ask("POST", f"pipelines/{pipeline['id']}/jobs", {"name": "rehearsal"})
        started = Started(pipeline, job["token"])
        try:
            yield started
        finally:
            status = "success" if started.ended_well else "failed"
            self.ask("PUT", f"pipelines/{pipeline['id']}", {"status": status})

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The answer of one of the stand-in's own calls, below `/-/standin/`."""
        url, headers = f"{self._url}/-/standin/{path}", {"PRIVATE-TOKEN": self._token}
        answer = self._api.session.request(method, url, json=body, headers=headers, timeout=30)
        if not answer.ok:
            raise ServiceError(f"the stack's GitLab stand-in refused {method} {path}: {answer.text}")
        return answer.json() if answer.content else None
