"""What a merge request was at each push: its versions, and of the latest one commits, diffs and pipelines."""

from .call import Call, Record, Refusal, Route, now
from .repository import GitRefused, Repository
from .store import Store

COLLECTION = "versions"


def add(store: Store, repository: Repository, project: Record, request: Record, head: str) -> Record:
    """The version that a push has made; `refs/merge-requests/IID/head` keeps its commits."""
    start = repository.references("heads").get(request["target_branch"], head)
    try:
        base = repository.git("merge-base", start, head)
    except GitRefused:  # a rehearsal's first main is an empty commit of its own
        base = start
    repository.git("update-ref", f"refs/merge-requests/{request['iid']}/head", head)
    return store.add(
        f"{project['id']}/{COLLECTION}",
        "id",
        {
            "merge_request_iid": request["iid"],
            "head_commit_sha": head,
            "base_commit_sha": base,
            "start_commit_sha": start,
            "commits": repository.commits(head, start),
            "created_at": now(),
        },
    )


def of(store: Store, project: Record, iid: int) -> list[Record]:
    """A merge request's versions, oldest first."""
    return [v for v in store.records(f"{project['id']}/{COLLECTION}") if v["merge_request_iid"] == iid]


def search(call: Call) -> list[Record]:
    """The versions, newest first."""
    return [_shown(call, version) for version in reversed(_all(call))]


def get(call: Call) -> Record:
    """One version with its commits and diffs."""
    for version in _all(call):
        if str(version["id"]) == call.path["version"]:
            return _shown(call, version) | {"commits": _commits(call, version), "diffs": _diffs(call, version)}
    raise Refusal(404, "404 Not found")


def commits(call: Call) -> list[Record]:
    """The commits that the merge request brings, newest first."""
    return _commits(call, _latest(call))


def diffs(call: Call) -> list[Record]:
    """The files that the merge request changes."""
    return _diffs(call, _latest(call))


def changes(call: Call) -> Record:
    """The same within one object, as older GitLabs told it."""
    request = call.one("merge_requests", "iid", "iid")
    return request | {"changes": _diffs(call, _latest(call)), "overflow": False}


def _all(call: Call) -> list[Record]:
    return of(call.store, call.project(), call.one("merge_requests", "iid", "iid")["iid"])


def _latest(call: Call) -> Record:
    found = _all(call)
    if not found:
        raise Refusal(404, "404 Not found")
    return found[-1]


def _commits(call: Call, version: Record) -> list[Record]:
    return [call.repository().describe(commit) for commit in version["commits"]]


def _diffs(call: Call, version: Record) -> list[Record]:
    return call.repository().changes(version["base_commit_sha"], version["head_commit_sha"])


def _shown(call: Call, version: Record) -> Record:
    names = ("id", "head_commit_sha", "base_commit_sha", "start_commit_sha", "created_at")
    return {name: version[name] for name in names} | {
        "merge_request_id": call.project()["id"] * 100_000 + version["merge_request_iid"],
        "state": "collected",
        "real_size": str(len(version["commits"])),
    }


ROUTES = (
    Route("GET", "/projects/{project}/merge_requests/{iid}/versions", search),
    Route("GET", "/projects/{project}/merge_requests/{iid}/versions/{version}", get),
    Route("GET", "/projects/{project}/merge_requests/{iid}/commits", commits),
    Route("GET", "/projects/{project}/merge_requests/{iid}/diffs", diffs),
    Route("GET", "/projects/{project}/merge_requests/{iid}/changes", changes),
)
