"""Commit statuses: what other programs say of a commit."""

from . import commits
from .call import DEVELOPER, Call, Record, Route, now

COLLECTION = "statuses"
STATES = ("pending", "running", "success", "failed", "canceled", "skipped")


def create(call: Call) -> Record:
    """The status `name` (or `context`) of the commit: a new one, or the same with another state."""
    commit = commits.resolve(call, call.path["sha"])
    name = str(call.parameters.get("name") or call.parameters.get("context") or "default")
    state = call.among("state", STATES, "")
    ref = str(call.parameters.get("ref") or call.project()["default_branch"])
    told = {key: call.parameters.get(key) for key in ("description", "target_url", "coverage")}
    with call.store.lock:
        same = (commit, ref, name)
        found = call.store.find(call.collection(COLLECTION), lambda s: (s["sha"], s["ref"], s["name"]) == same)
        record = {"sha": commit, "ref": ref, "name": name, "status": state, "author_id": call.user()["id"], **told}
        if found is None:
            return _shown(call, call.store.add(call.collection(COLLECTION), "id", record | {"created_at": now()}))
        return _shown(call, call.store.replace(call.collection(COLLECTION), "id", found | record))


def search(call: Call) -> list[Record]:
    """The statuses of the commit, by name and branch."""
    commit = commits.resolve(call, call.path["sha"])
    wanted = call.given("ref", "name")
    found = [s for s in call.store.records(call.collection(COLLECTION)) if s["sha"] == commit]
    return [_shown(call, s) for s in found if all(s[key] == value for key, value in wanted.items())]


def _shown(call: Call, status: Record) -> Record:
    shown = {key: value for key, value in status.items() if key != "author_id"}
    return shown | {"author": call.person(status["author_id"]), "allow_failure": False}


ROUTES = (
    Route("POST", "/projects/{project}/statuses/{sha}", create, DEVELOPER, 201),
    Route("GET", "/projects/{project}/repository/commits/{sha}/statuses", search),
)
