"""Deployments: what went to which environment; a job may record one, as in GitLab."""

from .call import Call, Record, Refusal, Route, now

COLLECTION = "deployments"
STATUSES = ("created", "running", "success", "failed", "canceled", "blocked")


def create(call: Call) -> Record:
    """A new deployment of `sha` to `environment`."""
    commit = call.repository().commit(call.required("sha"))
    if commit is None:
        raise Refusal(404, "404 Commit Not Found")
    return call.store.add(
        call.collection(COLLECTION),
        "id",
        {
            "environment": {"name": call.required("environment")},
            "sha": commit,
            "ref": call.required("ref"),
            "tag": bool(call.parameters.get("tag")),
            "status": _status(call),
            "created_at": now(),
            "updated_at": now(),
        },
    )


def update(call: Call) -> Record:
    """The deployment with its new status."""
    return call.store.replace(
        call.collection(COLLECTION), "id", get(call) | {"status": _status(call), "updated_at": now()}
    )


def search(call: Call) -> list[Record]:
    """Deployments, oldest first unless `sort=desc`, filtered by `environment` and `status`."""
    environment, status = call.parameters.get("environment"), call.parameters.get("status")
    found = [
        record
        for record in call.store.records(call.collection(COLLECTION))
        if environment in (None, record["environment"]["name"]) and status in (None, record["status"])
    ]
    return found[::-1] if call.parameters.get("sort") == "desc" else found


def get(call: Call) -> Record:
    """One deployment."""
    wanted = call.path["id"]
    found = call.store.find(call.collection(COLLECTION), lambda d: str(d["id"]) == wanted)
    if found is None:
        raise Refusal(404, "404 Not found")
    return found


def _status(call: Call) -> str:
    status = call.required("status")
    if status not in STATUSES:
        raise Refusal(400, "status does not have a valid value")
    return status


ROUTES = (
    Route("POST", "/projects/{project}/deployments", create, job_token=True, status=201),
    Route("GET", "/projects/{project}/deployments", search, job_token=True),
    Route("GET", "/projects/{project}/deployments/{id}", get, job_token=True),
    Route("PUT", "/projects/{project}/deployments/{id}", update, job_token=True),
)
