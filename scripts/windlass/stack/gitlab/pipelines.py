"""Pipelines and jobs, as the stack has run them; `GET /job` says to a job's token whose job it is."""

import secrets

from . import access
from .call import Call, Record, Refusal, Route, now

RUNNING = ("created", "waiting_for_resource", "preparing", "pending", "running")
STATUSES = (*RUNNING, "success", "failed", "canceled", "skipped", "manual", "scheduled")


def mine(call: Call) -> Record:
    """The job whose token this is."""
    if call.caller.job is None:
        raise Refusal(401, "401 Unauthorized")
    return shown_job(call, call.caller.job)


def search(call: Call) -> list[Record]:
    """The project's pipelines, newest first unless `sort=asc`, by status, ref, sha, source and user."""
    wanted = call.given("status", "ref", "sha", "source")
    name, order = (
        call.parameters.get("username"),
        call.among("order_by", ("id", "status", "ref", "updated_at", "user_id"), "id"),
    )
    found = [p for p in of(call) if all(p[key] == value for key, value in wanted.items())]
    found.sort(key=lambda p: (p[order], p["id"]), reverse=call.among("sort", ("asc", "desc"), "desc") == "desc")
    return [_listed(call, p) for p in found if name in (None, call.person(p["user_id"])["username"])]


def of_merge_request(call: Call) -> list[Record]:
    """The pipelines of a merge request, newest first."""
    request = call.one("merge_requests", "iid", "iid")
    ref = f"refs/merge-requests/{request['iid']}/head"
    found = [p for p in of(call) if p["ref"] == ref or (p["ref"] == request["source_branch"] and not p["tag"])]
    return [_listed(call, pipeline) for pipeline in reversed(found)]


def get(call: Call) -> Record:
    """One pipeline."""
    return shown(call, _one(call))


def latest(call: Call) -> Record:
    """The last pipeline of `ref`."""
    ref = call.parameters.get("ref") or call.project()["default_branch"]
    found = [p for p in of(call) if p["ref"] == ref]
    if not found:
        raise Refusal(404, "404 Not found")
    return shown(call, found[-1])


def jobs(call: Call) -> list[Record]:
    """The project's jobs, newest first; `scope` is a status or several."""
    return _jobs(call, [j for j in call.store.records("jobs") if j["project_id"] == call.project()["id"]])


def jobs_of_pipeline(call: Call) -> list[Record]:
    """The jobs of one pipeline, newest first."""
    pipeline = _one(call)
    return _jobs(call, [j for j in call.store.records("jobs") if j["pipeline_id"] == pipeline["id"]])


def job(call: Call) -> Record:
    """One job."""
    for record in call.store.records("jobs"):
        if str(record["id"]) == call.path["job"] and record["project_id"] == call.project()["id"]:
            return shown_job(call, record)
    raise Refusal(404, "404 Not found")


def of(call: Call) -> list[Record]:
    """The project's pipelines, oldest first."""
    return [p for p in call.store.records("pipelines") if p["project_id"] == call.project()["id"]]


def start(call: Call, user: Record) -> Record:
    """A new running pipeline of `user` for `ref` at `sha`."""
    source = str(call.parameters.get("source") or "push")
    ref, sha = call.required("ref"), call.required("sha")
    record = {"project_id": call.project()["id"], "iid": len(of(call)) + 1, "sha": sha, "ref": ref}
    told = {"tag": call.flag("tag"), "source": source, "status": "running", "user_id": user["id"]}
    return call.store.add("pipelines", "id", {**record, **told, "created_at": now(), "updated_at": now()})


def begin(call: Call, pipeline: Record) -> Record:
    """A new running job of the pipeline with a token of its own, which only this answer shows."""
    token = "glcbt-64_" + secrets.token_hex(10)
    record = {
        "name": str(call.parameters.get("name") or "job"),
        "stage": str(call.parameters.get("stage") or "test"),
        "environment": call.parameters.get("environment"),
        "status": "running",
        "pipeline_id": pipeline["id"],
        "project_id": pipeline["project_id"],
        "user_id": pipeline["user_id"],
        "sha256": access.fingerprint(token),
        "created_at": now(),
        "started_at": now(),
        "finished_at": None,
    }
    return shown_job(call, call.store.add("jobs", "id", record)) | {"token": token}


def finish(call: Call, collection: str, record: Record, status: str) -> Record:
    """The job or pipeline with its new status; a job that has ended has a token that is worth nothing."""
    if status not in STATUSES:
        raise Refusal(400, "status does not have a valid value")
    ended = None if status in RUNNING else now()
    return call.store.replace(collection, "id", record | {"status": status, "updated_at": now(), "finished_at": ended})


def shown(call: Call, pipeline: Record) -> Record:
    """The pipeline as the API tells it."""
    kept = {key: value for key, value in pipeline.items() if key != "user_id"}
    project = call.store.find("projects", lambda p: bool(p["id"] == pipeline["project_id"]))
    path = project["path_with_namespace"] if project else ""
    url = f"{call.url}/{path}/-/pipelines/{pipeline['id']}"
    return kept | {"name": None, "user": call.person(pipeline["user_id"]), "web_url": url}


def _listed(call: Call, pipeline: Record) -> Record:
    """The pipeline as a list tells of it, which says less."""
    return {name: value for name, value in shown(call, pipeline).items() if name not in ("user", "tag", "finished_at")}


def shown_job(call: Call, record: Record) -> Record:
    """The job as the API tells it, with the commit, the pipeline and the user of its pipeline."""
    pipeline = call.store.find("pipelines", lambda p: bool(p["id"] == record["pipeline_id"]))
    project = call.store.find("projects", lambda p: bool(p["id"] == record["project_id"]))
    assert pipeline and project
    names = ("id", "name", "stage", "status", "created_at", "started_at", "finished_at")
    return {name: record[name] for name in names} | {
        "ref": pipeline["ref"],
        "tag": pipeline["tag"],
        "allow_failure": False,
        "user": call.person(record["user_id"]),
        "commit": call.repositories(project["id"]).describe(pipeline["sha"]),
        "pipeline": {k: pipeline[k] for k in ("id", "iid", "project_id", "sha", "ref", "status", "source")},
        "project": {"ci_job_token_scope_enabled": False},
        "artifacts": [],
        "runner": None,
        "tag_list": [],
        "web_url": f"{call.url}/{project['path_with_namespace']}/-/jobs/{record['id']}",
    }


def _jobs(call: Call, records: list[Record]) -> list[Record]:
    scope = call.parameters.get("scope")
    wanted = scope if isinstance(scope, list) else [scope] if scope else list(STATUSES)
    return [shown_job(call, record) for record in reversed(records) if record["status"] in wanted]


def _one(call: Call) -> Record:
    for pipeline in of(call):
        if str(pipeline["id"]) == call.path["pipeline"]:
            return pipeline
    raise Refusal(404, "404 Not found")


ROUTES = (
    Route("GET", "/job", mine),
    Route("GET", "/projects/{project}/pipelines", search, keyset=True),
    Route("GET", "/projects/{project}/pipelines/latest", latest),
    Route("GET", "/projects/{project}/pipelines/{pipeline}", get),
    Route("GET", "/projects/{project}/pipelines/{pipeline}/jobs", jobs_of_pipeline),
    Route("GET", "/projects/{project}/jobs", jobs, keyset=True),
    Route("GET", "/projects/{project}/jobs/{job}", job),
    Route("GET", "/projects/{project}/merge_requests/{iid}/pipelines", of_merge_request),
)
