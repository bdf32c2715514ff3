"""Deployments: what went to which environment, by whom, and which merge requests it brought; a job may record one."""

from . import environments, merge_requests
from .call import DEVELOPER, Call, Record, Refusal, Route, now

COLLECTION = "deployments"
STATUSES = ("running", "success", "failed", "canceled")
"""What somebody may say of a deployment; there are others, which GitLab finds out."""
WITHIN = ("user_id", "tag", "finished_at")
"""What the API does not tell of a deployment."""
DONE = ("success", "failed", "canceled")


def create(call: Call) -> Record:
    """A new deployment of `sha` to `environment`, which is made when it is not there yet."""
    commit = call.repository().commit(call.required("sha"))
    if commit is None:
        raise Refusal(404, "404 Commit Not Found")
    status, name = _status(call), call.required("environment")
    call.required("tag")
    with call.store.lock:
        environments.ensure(call.store, call.project(), name, is_deployed=True)
        record = {
            "iid": len(all_of(call)) + 1,
            "environment": name,
            "sha": commit,
            "ref": call.required("ref"),
            "tag": call.flag("tag"),
            "status": status,
            "user_id": call.user()["id"],
            "created_at": now(),
            "updated_at": now(),
            "finished_at": now() if status in DONE else None,
        }
        return shown(call, call.store.add(call.collection(COLLECTION), "id", record))


def update(call: Call) -> Record:
    """The deployment with its new status; what has ended stays as it ended."""
    with call.store.lock:
        record, status = _one(call), _status(call)
        if record["status"] in DONE and record["status"] != status:
            raise Refusal(400, {"status": [f"cannot transition from {record['status']} to {status}"]})
        ended = {"finished_at": now()} if status in DONE else {}
        changed = record | {"status": status, "updated_at": now()} | ended
        return shown(call, call.store.replace(call.collection(COLLECTION), "id", changed))


def search(call: Call) -> list[Record]:
    """Deployments, oldest first unless `sort=desc`, by environment, status and time of the last change."""
    environment, status = call.parameters.get("environment"), call.parameters.get("status")
    after, before = (str(call.parameters.get(name) or "") for name in ("updated_after", "updated_before"))
    order = call.among("order_by", ("id", "iid", "created_at", "updated_at", "finished_at"), "id")
    found = [d for d in all_of(call) if environment in (None, d["environment"]) and status in (None, d["status"])]
    found = [d for d in found if d["updated_at"] >= after and (not before or d["updated_at"] <= before)]
    found.sort(key=lambda d: (d.get(order) or "", d["id"]) if order != "id" else d["id"])
    return [shown(call, d) for d in (found[::-1] if call.parameters.get("sort") == "desc" else found)]


def get(call: Call) -> Record:
    """One deployment."""
    return shown(call, _one(call))


def delete(call: Call) -> None:
    """The deployment is gone, unless it runs or is the environment's last."""
    record = _one(call)
    own = [d for d in all_of(call) if d["environment"] == record["environment"] and d["status"] == "success"]
    if record["status"] == "running" or (own and own[-1]["id"] == record["id"]):
        raise Refusal(400, "Cannot destroy running deployment or deployment currently deployed to environment")
    call.store.remove(call.collection(COLLECTION), "id", record)


def brought(call: Call) -> list[Record]:
    """The merge requests whose commits came to the environment with this deployment, if it succeeded."""
    record, repository = _one(call), call.repository()
    if record["status"] != "success":
        return []
    own = [d for d in all_of(call) if d["environment"] == record["environment"] and d["status"] == "success"]
    earlier = [d["sha"] for d in own if d["id"] < record["id"]]
    found = []
    for request in call.store.records(call.collection(merge_requests.COLLECTION)):
        commit = request["merge_commit_sha"] or request.get("squash_commit_sha") or request["sha"]
        is_here = request["state"] == "merged" and repository.contains(commit, record["sha"])
        if is_here and not (earlier and repository.contains(commit, earlier[-1])):
            found.append(merge_requests.shown(call, request))
    return found[::-1]


def all_of(call: Call) -> list[Record]:
    """The project's deployments, oldest first; those of a stack from before environments had records are read too."""
    found = call.store.records(call.collection(COLLECTION))
    return [d | {"environment": d["environment"]["name"]} if isinstance(d["environment"], dict) else d for d in found]


def shown(call: Call, record: Record) -> Record:
    """The deployment as the API tells it."""
    kept = {key: value for key, value in record.items() if key not in WITHIN}
    environment = environments.ensure(call.store, call.project(), record["environment"])
    names = ("id", "name", "slug", "external_url", "tier", "state")
    return kept | {
        "user": call.person(record.get("user_id", 1)),
        "environment": {name: environment[name] for name in names},
        "deployable": None,
    }


def _one(call: Call) -> Record:
    for record in all_of(call):
        if str(record["id"]) == call.path["id"]:
            return record
    raise Refusal(404, "404 Not found")


def _status(call: Call) -> str:
    status = call.required("status")
    if status not in STATUSES:
        raise Refusal(400, "status does not have a valid value")
    return status


ROUTES = (
    Route("POST", "/projects/{project}/deployments", create, DEVELOPER, 201),
    Route("GET", "/projects/{project}/deployments", search),
    Route("GET", "/projects/{project}/deployments/{id}", get),
    Route("PUT", "/projects/{project}/deployments/{id}", update, DEVELOPER),
    Route("DELETE", "/projects/{project}/deployments/{id}", delete, DEVELOPER, 204),
    Route("GET", "/projects/{project}/deployments/{id}/merge_requests", brought),
)
