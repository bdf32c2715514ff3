"""Who calls and what they may: users with tokens of their own, jobs with theirs, and roles in projects and groups."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from .store import Record, Store

GUEST, REPORTER, DEVELOPER, MAINTAINER, OWNER, ADMIN = 10, 20, 30, 40, 50, 60
"""GitLab's access levels; an administrator has every role everywhere."""

NOBODY = 0
"""The level "no one" of a protected branch or tag; not even an administrator has it."""

SCOPES = ("api", "read_api", "read_repository", "write_repository")
WRITING = ("api",)
PULLING = SCOPES
PUSHING = ("api", "write_repository")

ROOT = {"username": "root", "name": "Administrator", "email": "root@windlass.local", "state": "active"}
"""Who the stack's operator is, always the first user."""


@dataclass(frozen=True)
class Caller:
    """A user, in person or as a job of theirs; `user` is None for one who did not say."""

    user: Record | None = None
    job: Record | None = None
    scopes: tuple[str, ...] = ()


ANONYMOUS = Caller()


def fingerprint(token: str) -> str:
    """What is stored of a token: enough to know it again, and no secret."""
    return hashlib.sha256(token.encode()).hexdigest()


def root(store: Store) -> Record:
    """The operator's user, made when it is not there yet."""
    with store.lock:
        found = store.find("users", lambda user: bool(user["id"] == 1))
        return found or store.add("users", "id", {**ROOT, "is_admin": True})


def identify(store: Store, operator_token: str, headers: Mapping[str, str]) -> Caller | None:
    """Whose token the headers hold: ANONYMOUS without one, None for one that is not known (or not any more)."""
    private, job = headers.get("private-token"), headers.get("job-token")
    either = _authorization(headers) if private is None and job is None else None
    if private is None and job is None and either is None:
        return None if "authorization" in headers else ANONYMOUS
    if (token := private if private is not None else either) is not None and (found := _person(store, token)):
        return found
    if token is not None and hmac.compare_digest(token.encode(), operator_token.encode()):
        return Caller(root(store), scopes=SCOPES)
    token = job if job is not None else either
    return _job(store, token) if token is not None else None


def level(store: Store, user: Record | None, project: Record) -> int:
    """The user's access level in a project: the highest of the project's own membership and its groups'."""
    if user is None:
        return 0
    if user.get("is_admin"):
        return ADMIN
    found = [int(member["access_level"]) for member in store.records(f"{project['id']}/members") if _is(member, user)]
    return max([*found, group_level(store, user, str(project["path_with_namespace"]).rpartition("/")[0])])


def group_level(store: Store, user: Record, path: str) -> int:
    """The user's access level in a group, by its own members and its parents'; a personal namespace has its owner."""
    if user.get("is_admin"):
        return ADMIN
    if path == user["username"]:
        return OWNER
    above = {group["id"] for group in store.records("groups") if f"{path}/".startswith(f"{group['full_path']}/")}
    members = store.records("group_members")
    return max([int(m["access_level"]) for m in members if m["group_id"] in above and _is(m, user)], default=0)


def _is(member: Record, user: Record) -> bool:
    return bool(member["user_id"] == user["id"])


def _person(store: Store, token: str) -> Caller | None:
    wanted = fingerprint(token)
    found = store.find("tokens", lambda record: bool(record["sha256"] == wanted and not record["revoked"]))
    if found is None:
        return None
    user = store.find("users", lambda user: bool(user["id"] == found["user_id"] and user["state"] == "active"))
    return Caller(user, scopes=tuple(found["scopes"])) if user else None


def _job(store: Store, token: str) -> Caller | None:
    """A job's token is good while the job runs."""
    wanted = fingerprint(token)
    job = store.find("jobs", lambda record: bool(record["sha256"] == wanted and record["status"] == "running"))
    if job is None:
        return None
    return Caller(store.find("users", lambda user: bool(user["id"] == job["user_id"])), job, scopes=SCOPES)


def _authorization(headers: Mapping[str, str]) -> str | None:
    """The token of `Authorization: Bearer TOKEN`, or the password of `Authorization: Basic` (as git sends it)."""
    kind, _, value = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() != "basic":
        return None
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None
