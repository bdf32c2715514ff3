"""Notes of merge requests: what people write, and what GitLab itself notes, in its own words."""

from .call import MAINTAINER, OWNER, REPORTER, Call, Record, Refusal, Route, now
from .repository import Repository
from .store import Store

COLLECTION = "notes"
LIMIT = 1_000_000
"""Characters of a note."""

APPROVED = "approved this merge request"
UNAPPROVED = "unapproved this merge request"
DRAFT = "marked this merge request as **draft**"
READY = "marked this merge request as **ready**"


def add(
    store: Store, project: Record, request: Record, user: Record, body: str, is_system: bool, at: str = ""
) -> Record:
    """The note as stored."""
    return store.add(
        f"{project['id']}/{COLLECTION}",
        "id",
        {
            "merge_request_iid": request["iid"],
            "author_id": user["id"],
            "body": body,
            "system": is_system,
            "created_at": at or now(),
            "updated_at": at or now(),
        },
    )


def added(
    repository: Repository, project: Record, request: Record, commits: list[str], version: Record, old: str
) -> str:
    """GitLab's words for commits that a push has added, oldest first; those of the target branch in one line."""
    own = [commit for commit in reversed(commits) if commit in version["commits"]]
    others = [commit for commit in reversed(commits) if commit not in version["commits"]]
    lines = ""
    if others:
        span = others[0][:8] if len(others) == 1 else f"{old[:8]}...{others[-1][:8]}"
        lines += f"<li>{span} - {_counted(others)} from branch <code>{request['target_branch']}</code></li>"
    for commit in own:
        lines += f"<li>{commit[:8]} - {repository.git('show', '--no-patch', '--format=%s', commit)}</li>"
    path = f"/{project['path_with_namespace']}/-/merge_requests/{request['iid']}/diffs"
    compare = f"[Compare with previous version]({path}?diff_id={version['id']}&start_sha={old})"
    return f"added {_counted(commits)}\n\n<ul>{lines}</ul>\n\n{compare}"


def search(call: Call) -> list[Record]:
    """The merge request's notes, newest first unless `sort=asc`; `activity_filter` leaves out one of the two kinds."""
    kind = call.among("activity_filter", ("all_notes", "only_comments", "only_activity"), "all_notes")
    order = call.among("order_by", ("created_at", "updated_at"), "created_at")
    descending = call.among("sort", ("asc", "desc"), "desc") == "desc"
    request = call.one("merge_requests", "iid", "iid")
    found = [n for n in call.store.records(call.collection(COLLECTION)) if n["merge_request_iid"] == request["iid"]]
    if kind != "all_notes":
        found = [note for note in found if note["system"] == (kind == "only_activity")]
    found.sort(key=lambda note: (note[order], note["id"]), reverse=descending)
    return [shown(call, request, note) for note in found]


def get(call: Call) -> Record:
    """One note."""
    return shown(call, call.one("merge_requests", "iid", "iid"), _one(call))


def create(call: Call) -> Record:
    """A new note by the caller; only owners say when it was."""
    request = call.one("merge_requests", "iid", "iid")
    at = str(call.parameters.get("created_at") or "") if call.level(call.project()) >= OWNER else ""
    return shown(call, request, add(call.store, call.project(), request, call.user(), _body(call), False, at))


def change(call: Call) -> Record:
    """The note with another text."""
    note = _own(call) | {"body": _body(call), "updated_at": now()}
    return shown(
        call, call.one("merge_requests", "iid", "iid"), call.store.replace(call.collection(COLLECTION), "id", note)
    )


def delete(call: Call) -> None:
    """The note is gone."""
    call.store.remove(call.collection(COLLECTION), "id", _own(call))


def shown(call: Call, request: Record, note: Record) -> Record:
    """The note as the API tells it."""
    kept = {name: note[name] for name in ("id", "body", "system", "created_at", "updated_at")}
    return kept | {
        "type": None,
        "attachment": None,
        "author": call.person(note["author_id"]),
        "noteable_id": call.project()["id"] * 100_000 + request["iid"],
        "noteable_type": "MergeRequest",
        "noteable_iid": request["iid"],
        "project_id": call.project()["id"],
        "resolvable": False,
        "confidential": False,
        "internal": False,
    }


def _one(call: Call) -> Record:
    note = call.one(COLLECTION, "id", "note")
    if str(note["merge_request_iid"]) != call.path["iid"]:
        raise Refusal(404, "404 Not found")
    return note


def _own(call: Call) -> Record:
    """The note, when the caller may change it: nobody changes what GitLab has noted."""
    note = _one(call)
    is_mine = note["author_id"] == call.user()["id"]
    if note["system"] or not (is_mine or call.level(call.project()) >= MAINTAINER):
        raise Refusal(403, "403 Forbidden")
    return note


def _body(call: Call) -> str:
    body = call.required("body")
    if len(body) > LIMIT:
        raise Refusal(400, {"note": ["is too long (maximum is 1000000 characters)"]})
    return body


def _counted(commits: list[str]) -> str:
    return f"{len(commits)} commit" + ("s" if len(commits) != 1 else "")


ROUTES = (
    Route("GET", "/projects/{project}/merge_requests/{iid}/notes", search),
    Route("POST", "/projects/{project}/merge_requests/{iid}/notes", create, REPORTER, 201),
    Route("GET", "/projects/{project}/merge_requests/{iid}/notes/{note}", get),
    Route("PUT", "/projects/{project}/merge_requests/{iid}/notes/{note}", change, REPORTER),
    Route("DELETE", "/projects/{project}/merge_requests/{iid}/notes/{note}", delete, REPORTER, 204),
)
