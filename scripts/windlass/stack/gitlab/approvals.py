"""Approvals of merge requests: given, withdrawn, and listed; on the Free tier they block nothing."""

from . import notes
from .call import DEVELOPER, MAINTAINER, REPORTER, Call, Record, Refusal, Route, now

COLLECTION = "approvals"

SETTINGS = {
    "approvals_before_merge": 0,
    "reset_approvals_on_push": False,
    "merge_requests_author_approval": True,
    "merge_requests_disable_committers_approval": False,
    "disable_overriding_approvers_per_merge_request": False,
}
"""As on the Free tier, where nobody can change them; a test that stands for Premium does."""


def get(call: Call) -> Record:
    """Who has approved."""
    request = call.one("merge_requests", "iid", "iid")
    found = _of(call, request)
    user = call.caller.user
    return {
        "id": call.project()["id"] * 100_000 + request["iid"],
        "iid": request["iid"],
        "project_id": call.project()["id"],
        "title": request["title"],
        "state": request["state"],
        "user_has_approved": any(user is not None and a["user_id"] == user["id"] for a in found),
        "user_can_approve": user is not None and _may_approve(call, request),
        "approved": bool(found),
        "approved_by": [{"user": call.person(a["user_id"]), "approved_at": a["created_at"]} for a in found],
    }


def approve(call: Call) -> Record:
    """The approvals with the caller's; `sha` must be the head when it is given."""
    with call.store.lock:
        request = call.one("merge_requests", "iid", "iid")
        if (wanted := call.parameters.get("sha")) and wanted != request["sha"]:
            raise Refusal(409, f"SHA does not match HEAD of source branch: {request['sha']}")
        if not _may_approve(call, request):
            raise Refusal(401, "401 Unauthorized")
        record = {"merge_request_iid": request["iid"], "user_id": call.user()["id"], "created_at": now()}
        call.store.add(call.collection(COLLECTION), "id", record)
        notes.add(call.store, call.project(), request, call.user(), notes.APPROVED, is_system=True)
    return get(call)


def unapprove(call: Call) -> Record:
    """The approvals without the caller's."""
    with call.store.lock:
        request = call.one("merge_requests", "iid", "iid")
        mine = [a for a in _of(call, request) if a["user_id"] == call.user()["id"]]
        if not mine or request["state"] == "merged":
            raise Refusal(404, "404 Not Found")
        call.store.remove(call.collection(COLLECTION), "id", mine[0])
        notes.add(call.store, call.project(), request, call.user(), notes.UNAPPROVED, is_system=True)
    return get(call)


def settings(call: Call) -> Record:
    """The project's settings of approvals."""
    return SETTINGS | {name: call.project()[name] for name in SETTINGS if name in call.project()}


def change(call: Call) -> Record:
    """The project's settings of approvals, some of them changed, as only Premium can."""
    given = {name: call.flag(name) for name in SETTINGS if name in call.parameters}
    call.store.replace("projects", "id", call.project() | given)
    return settings(call)


def _of(call: Call, request: Record) -> list[Record]:
    return [a for a in call.store.records(call.collection(COLLECTION)) if a["merge_request_iid"] == request["iid"]]


def _may_approve(call: Call, request: Record) -> bool:
    """Developers approve, once each; the author unless the project forbids it."""
    user = call.user()
    if call.level(call.project()) < DEVELOPER or request["state"] == "merged":
        return False
    if request.get("author_id", 1) == user["id"] and not settings(call)["merge_requests_author_approval"]:
        return False
    if settings(call)["merge_requests_disable_committers_approval"] and _has_committed(call, request, user):
        return False
    return all(approval["user_id"] != user["id"] for approval in _of(call, request))


def _has_committed(call: Call, request: Record, user: Record) -> bool:
    repository = call.repository()
    commits = repository.commits(request["sha"], repository.commit(request["target_branch"]))
    return any(repository.describe(commit)["committer_email"] == user["email"] for commit in commits)


ROUTES = (
    Route("GET", "/projects/{project}/merge_requests/{iid}/approvals", get),
    Route("POST", "/projects/{project}/merge_requests/{iid}/approve", approve, REPORTER, 201),
    Route("POST", "/projects/{project}/merge_requests/{iid}/unapprove", unapprove, REPORTER, 201),
    Route("GET", "/projects/{project}/approvals", settings, MAINTAINER),
    Route("POST", "/projects/{project}/approvals", change, MAINTAINER, 201),
)
