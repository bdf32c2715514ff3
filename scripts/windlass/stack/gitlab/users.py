"""Users and their personal access tokens; `GET /user` says whose token it is."""

import secrets

from . import access
from .call import Call, Record, Refusal, Route, now


def me(call: Call) -> Record:
    """Who calls."""
    return shown(call, call.user(), in_full=True)


def create(call: Call) -> Record:
    """A new user, made by an administrator."""
    call.need_admin()
    username = call.required("username")
    with call.store.lock:
        if call.store.find("users", lambda user: str(user["username"]).lower() == username.lower()):
            raise Refusal(409, "Username has already been taken")
        user = {
            "username": username,
            "name": call.required("name"),
            "email": call.required("email"),
            "state": "active",
            "is_admin": call.flag("admin"),
            "created_at": now(),
        }
        return shown(call, call.store.add("users", "id", user), in_full=True)


def search(call: Call) -> list[Record]:
    """All users, newest first, or the one with the `username` that is asked for."""
    username = call.parameters.get("username")
    users = reversed(call.store.records("users"))
    return [shown(call, user) for user in users if username in (None, user["username"])]


def get(call: Call) -> Record:
    """One user."""
    return shown(call, _one(call))


def block(call: Call) -> bool:
    """A blocked user's tokens are worth nothing."""
    call.need_admin()
    call.store.replace("users", "id", _one(call) | {"state": "blocked"})
    return True


def unblock(call: Call) -> bool:
    """The user may come again."""
    call.need_admin()
    call.store.replace("users", "id", _one(call) | {"state": "active"})
    return True


def create_token(call: Call) -> Record:
    """A new token of a user, which only this answer shows."""
    call.need_admin()
    scopes = call.parameters.get("scopes") or []
    if not isinstance(scopes, list) or not scopes or not set(scopes) <= set(access.SCOPES):
        raise Refusal(400, "scopes does not have a valid value")
    token = "glpat-" + secrets.token_hex(16)
    record = {
        "user_id": _one(call)["id"],
        "name": call.required("name"),
        "scopes": scopes,
        "sha256": access.fingerprint(token),
        "revoked": False,
        "created_at": now(),
    }
    return _token(call.store.add("tokens", "id", record)) | {"token": token}


def tokens(call: Call) -> list[Record]:
    """The tokens of the caller, or of all for an administrator."""
    user = call.user()
    found = [t for t in call.store.records("tokens") if user.get("is_admin") or t["user_id"] == user["id"]]
    return [_token(token) for token in found]


def revoke_token(call: Call) -> None:
    """The token is worth nothing any more."""
    found = call.store.find("tokens", lambda token: str(token["id"]) == call.path["token"])
    if found is None or not (call.user().get("is_admin") or found["user_id"] == call.user()["id"]):
        raise Refusal(404, "404 Not found")
    call.store.replace("tokens", "id", found | {"revoked": True})


def shown(call: Call, user: Record, in_full: bool = False) -> Record:
    """A user as the API tells it; themselves and administrators see more."""
    found = call.shown_person(user)
    if in_full:
        found |= {"email": user["email"], "is_admin": bool(user.get("is_admin")), "created_at": user.get("created_at")}
    return found


def _one(call: Call) -> Record:
    found = call.store.find("users", lambda user: str(user["id"]) == call.path["user"])
    if found is None:
        raise Refusal(404, "404 User Not Found")
    return found


def _token(record: Record) -> Record:
    shown = {name: record[name] for name in ("id", "name", "user_id", "scopes", "revoked", "created_at")}
    return shown | {"active": not record["revoked"]}


ROUTES = (
    Route("GET", "/user", me),
    Route("GET", "/users", search, keyset=True),
    Route("POST", "/users", create, status=201),
    Route("GET", "/users/{user}", get),
    Route("POST", "/users/{user}/block", block, status=201),
    Route("POST", "/users/{user}/unblock", unblock, status=201),
    Route("POST", "/users/{user}/personal_access_tokens", create_token, status=201),
    Route("GET", "/personal_access_tokens", tokens),
    Route("DELETE", "/personal_access_tokens/{token}", revoke_token, status=204),
)
