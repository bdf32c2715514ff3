"""Merge requests: opened between two branches, merged with a real merge commit."""

from .call import Call, Record, Refusal, Route, now
from .repository import GitRefused

COLLECTION = "merge_requests"


def create(call: Call) -> Record:
    """A new open merge request; one at a time for the same two branches, as in GitLab."""
    project, repository = call.project(), call.repository()
    source, target = call.required("source_branch"), call.required("target_branch")
    heads = repository.references("heads")
    for branch in (source, target):
        if branch not in heads:
            raise Refusal(400, f"branch {branch!r} does not exist")
    with call.store.lock:
        for other in call.store.records(call.collection(COLLECTION)):
            if (other["state"], other["source_branch"], other["target_branch"]) == ("opened", source, target):
                raise Refusal(409, f"Another open merge request already exists for this source branch: !{other['iid']}")
        record = call.store.add(
            call.collection(COLLECTION),
            "iid",
            {
                "project_id": project["id"],
                "title": call.required("title"),
                "description": call.parameters.get("description") or "",
                "state": "opened",
                "source_branch": source,
                "target_branch": target,
                "sha": heads[source],
                "merge_commit_sha": None,
                "merged_at": None,
                "created_at": now(),
                "author": {"id": 1, "username": "operator", "name": "Operator"},
            },
        )
    return shown(call, record)


def shown(call: Call, record: Record) -> Record:
    """The merge request as the API tells it: an open one's `sha` is its branch's head of now."""
    project = call.project()
    shown = record | {
        "id": project["id"] * 100_000 + record["iid"],
        "reference": f"!{record['iid']}",
        "web_url": call.page(f"merge_requests/{record['iid']}"),
    }
    if record["state"] == "opened":
        heads = call.repository().references("heads")
        shown["sha"] = heads.get(record["source_branch"], record["sha"])
    return shown


def one(call: Call) -> Record:
    """The merge request that the path names."""
    wanted = call.path["iid"]
    record = call.store.find(call.collection(COLLECTION), lambda m: str(m["iid"]) == wanted)
    if record is None:
        raise Refusal(404, "404 Not found")
    return record


def get(call: Call) -> Record:
    """One merge request."""
    return shown(call, one(call))


def search(call: Call) -> list[Record]:
    """The project's merge requests, newest first, filtered by state and branches."""
    wanted = {name: call.parameters.get(name) for name in ("state", "source_branch", "target_branch")}
    if wanted["state"] == "all":
        wanted["state"] = None
    records = reversed(call.store.records(call.collection(COLLECTION)))
    return [shown(call, r) for r in records if all(v is None or r[n] == v for n, v in wanted.items())]


def merge(call: Call) -> Record:
    """The merge request after `git merge --no-ff` into its target; refused when closed, moved or in conflict."""
    with call.store.lock:
        record = get(call)
        if record["state"] != "opened":
            raise Refusal(405, "405 Method Not Allowed")
        wanted = call.parameters.get("sha")
        if wanted and wanted != record["sha"]:
            raise Refusal(409, "SHA does not match HEAD of source branch: " + record["sha"])
        source, target = record["source_branch"], record["target_branch"]
        message = call.parameters.get("merge_commit_message") or (
            f"Merge branch '{source}' into '{target}'\n\n{record['title']}\n\nSee merge request {record['reference']}"
        )
        try:
            commit = call.repository().merge(record["sha"], target, str(message))
        except GitRefused as refused:
            raise Refusal(422, f"Branch cannot be merged: {refused}") from refused
        merged = one(call) | {
            "state": "merged",
            "sha": record["sha"],
            "merge_commit_sha": commit,
            "merged_at": now(),
            "merged_by": {"id": 1, "username": "operator", "name": "Operator"},
        }
        call.store.replace(call.collection(COLLECTION), "iid", merged)
    return shown(call, merged)


def of_commit(call: Call) -> list[Record]:
    """The merge requests that brought in a commit, or whose merge commit it is."""
    repository = call.repository()
    commit = repository.commit(call.path["sha"])
    if commit is None:
        raise Refusal(404, "404 Commit Not Found")
    found = []
    for record in call.store.records(call.collection(COLLECTION)):
        seen = shown(call, record)
        base = f"{seen['merge_commit_sha']}^1" if seen["merge_commit_sha"] else seen["target_branch"]
        brought = repository.contains(commit, seen["sha"]) and not repository.contains(commit, base)
        if brought or commit == seen["merge_commit_sha"]:
            found.append(seen)
    return found


ROUTES = (
    Route("POST", "/projects/{project}/merge_requests", create, status=201),
    Route("GET", "/projects/{project}/merge_requests", search, job_token=True),
    Route("GET", "/projects/{project}/merge_requests/{iid}", get, job_token=True),
    Route("PUT", "/projects/{project}/merge_requests/{iid}/merge", merge),
    Route("GET", "/projects/{project}/repository/commits/{sha}/merge_requests", of_commit, job_token=True),
)
