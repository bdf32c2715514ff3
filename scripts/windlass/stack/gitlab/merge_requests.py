"""Merge requests: opened between two branches, changed, and merged as the project is set: by a commit or fast."""

import re
from typing import Any

from . import environments, notes, protections, pushes, versions
from .call import DEVELOPER, Call, Record, Refusal, Route, now
from .pushes import Update
from .repository import GitRefused

COLLECTION = "merge_requests"
DRAFT = re.compile(r"\s*(\[draft\]|\(draft\)|draft:)\s*", re.IGNORECASE)


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
                "labels": _labels(call.parameters.get("labels")),
                "reviewer_ids": _people(call, "reviewer_ids"),
                "sha": heads[source],
                "merge_commit_sha": None,
                "squash_commit_sha": None,
                "squash": call.flag("squash"),
                "merged_at": None,
                "closed_at": None,
                "created_at": now(),
                "updated_at": now(),
                "author_id": call.user()["id"],
            },
        )
        versions.add(call.store, repository, project, record, heads[source])
        _note_reviewers(call, record, [], record["reviewer_ids"])
    return shown(call, record)


def shown(call: Call, record: Record) -> Record:
    """The merge request as the API tells it: an open one's `sha` is its branch's head of now."""
    project = call.project()
    sha = record["sha"]
    if record["state"] == "opened":
        sha = call.repository().references("heads").get(record["source_branch"], sha)
    latest = ([{}, *versions.of(call.store, project, record["iid"])])[-1]
    draft, merged_by = DRAFT.match(record["title"]) is not None, record.get("merged_by_id")
    pipeline = _head_pipeline(call, sha)
    kept = {name: value for name, value in record.items() if not name.endswith("_id") and name != "reviewer_ids"}
    return kept | {
        "id": project["id"] * 100_000 + record["iid"],
        "project_id": project["id"],
        "source_project_id": project["id"],
        "target_project_id": project["id"],
        "author": call.person(record.get("author_id", 1)),
        "assignees": [],
        "reviewers": [call.person(user) for user in record.get("reviewer_ids", [])],
        "merged_by": None if merged_by is None else call.person(merged_by),
        "merge_user": None if merged_by is None else call.person(merged_by),
        "draft": draft,
        "work_in_progress": draft,
        "sha": sha,
        "reference": f"!{record['iid']}",
        "references": {
            "short": f"!{record['iid']}",
            "relative": f"!{record['iid']}",
            "full": f"{project['path_with_namespace']}!{record['iid']}",
        },
        "diff_refs": {
            "base_sha": latest.get("base_commit_sha"),
            "head_sha": latest.get("head_commit_sha", sha),
            "start_sha": latest.get("start_commit_sha"),
        },
        "merge_status": "can_be_merged",
        "detailed_merge_status": _status(call, record, draft, pipeline),
        "has_conflicts": False,
        "blocking_discussions_resolved": True,
        "head_pipeline": pipeline,
        "web_url": call.page(f"merge_requests/{record['iid']}"),
    }


def get(call: Call) -> Record:
    """One merge request."""
    return shown(call, call.one(COLLECTION, "iid", "iid"))


def search(call: Call) -> list[Record]:
    """The project's merge requests, newest first, filtered by state, branches, author, numbers and draft."""
    wanted = {name: call.parameters.get(name) for name in ("state", "source_branch", "target_branch")}
    if wanted["state"] == "all":
        wanted["state"] = None
    numbers = call.several("iids")
    author, wip = call.parameters.get("author_username"), call.parameters.get("wip")
    order = call.among("order_by", ("created_at", "updated_at", "merged_at", "title"), "created_at")
    records = call.store.records(call.collection(COLLECTION))
    found = [r for r in records if all(v is None or r[n] == v for n, v in wanted.items())]
    if numbers is not None:
        found = [r for r in found if str(r["iid"]) in numbers]
    if author is not None:
        found = [r for r in found if call.person(r.get("author_id", 1))["username"] == author]
    if wip is not None:
        found = [r for r in found if (DRAFT.match(r["title"]) is not None) == (wip == "yes")]
    found.sort(key=lambda r: (r.get(order) or "", r["iid"]), reverse=call.parameters.get("sort") != "asc")
    return [shown(call, record) for record in found]


def change(call: Call) -> Record:
    """The merge request with another title, description, reviewers, labels or target, closed or open again."""
    with call.store.lock:
        record = call.one(COLLECTION, "iid", "iid")
        changed = record | call.given("title", "description", "target_branch") | {"updated_at": now()}
        if "labels" in call.parameters:
            changed["labels"] = _labels(call.parameters["labels"])
        if "reviewer_ids" in call.parameters:
            changed["reviewer_ids"] = _people(call, "reviewer_ids")
            _note_reviewers(call, record, record.get("reviewer_ids", []), changed["reviewer_ids"])
        event = call.parameters.get("state_event")
        if event == "close" and record["state"] == "opened":
            changed |= {"state": "closed", "closed_at": now()}
            environments.merge_request_ended(call.store, call.project(), record["iid"])
        if event == "reopen" and record["state"] == "closed":
            changed |= {"state": "opened", "closed_at": None}
        for body in _about_title(record["title"], changed["title"]):
            notes.add(call.store, call.project(), record, call.user(), body, is_system=True)
        return shown(call, call.store.replace(call.collection(COLLECTION), "iid", changed))


def merge(call: Call) -> Record:
    """The merge request after it was merged as the project is set; refused when it may or can not."""
    with call.store.lock:
        record, project, repository = call.one(COLLECTION, "iid", "iid"), call.project(), call.repository()
        seen = shown(call, record)
        _need_mergeable(call, seen)
        source, target = record["source_branch"], record["target_branch"]
        before = repository.references("heads")[target]
        message = call.parameters.get("merge_commit_message") or (
            f"Merge branch '{source}' into '{target}'\n\n{record['title']}\n\n"
            f"See merge request {seen['references']['full']}"
        )
        try:
            done = _merge(call, record | {"sha": seen["sha"]}, before, str(message))
        except GitRefused as refused:
            raise Refusal(422, f"Branch cannot be merged: {refused}") from refused
        merged = record | {"state": "merged", "sha": seen["sha"], "merged_at": now(), "updated_at": now()} | done
        merged |= {"merged_by_id": call.user()["id"]}
        call.store.replace(call.collection(COLLECTION), "iid", merged)
        environments.merge_request_ended(call.store, project, record["iid"])
        if merged["merge_commit_sha"]:
            body = f"mentioned in commit {merged['merge_commit_sha']}"
            notes.add(call.store, project, record, call.user(), body, is_system=True)
        updates = [Update(before, repository.references("heads")[target], f"refs/heads/{target}")]
        if call.flag("should_remove_source_branch"):
            repository.git("update-ref", "-d", f"refs/heads/{source}")
            updates.append(Update(seen["sha"], "0" * 40, f"refs/heads/{source}"))
        pushes.follow(call.store, repository, project, call.user(), updates)
    return shown(call, merged)


def of_commit(call: Call) -> list[Record]:
    """The merge requests that brought in a commit, or whose merge or squash commit it is."""
    commit = call.repository().commit(call.path["sha"])
    if commit is None:
        raise Refusal(404, "404 Commit Not Found")
    found = []
    for record in call.store.records(call.collection(COLLECTION)):
        latest = ([{"commits": []}, *versions.of(call.store, call.project(), record["iid"])])[-1]
        if commit in (*latest["commits"], record["merge_commit_sha"], record.get("squash_commit_sha")):
            found.append(shown(call, record))
    return found


def _merge(call: Call, record: Record, before: str, message: str) -> Record:
    """What the merge leaves in the record: the commit it made, if it made one."""
    repository, method = call.repository(), call.project().get("merge_method", "merge")
    author = {"name": call.user()["name"], "email": call.user()["email"]}
    head, squash = record["sha"], None
    if call.flag("squash", record.get("squash", False)):
        text = str(call.parameters.get("squash_commit_message") or record["title"])
        head = squash = repository.squash(head, record["target_branch"], text, author)
    if method != "merge" and not repository.contains(before, head):
        raise Refusal(405, "405 Method Not Allowed")  # it has to be rebased first
    if method == "ff":
        repository.git("update-ref", f"refs/heads/{record['target_branch']}", head, before)
        return {"merge_commit_sha": None, "squash_commit_sha": squash}
    commit = repository.merge(head, record["target_branch"], message, author)
    return {"merge_commit_sha": commit, "squash_commit_sha": squash}


def _need_mergeable(call: Call, seen: Record) -> None:
    """Refuses what GitLab refuses, with its status: who may not, what is not ready, and a head that has moved."""
    rules = protections.rules(call.store, call.project(), protections.BRANCHES, seen["target_branch"])
    level = call.level(call.project())
    if not (protections.allows(rules, "merge", level) or protections.allows(rules, "push", level)):
        raise Refusal(401, "401 Unauthorized")
    if seen["detailed_merge_status"] != "mergeable":
        raise Refusal(405, "405 Method Not Allowed")
    wanted = call.parameters.get("sha")
    if wanted and wanted != seen["sha"]:
        raise Refusal(409, "SHA does not match HEAD of source branch: " + seen["sha"])


def _status(call: Call, record: Record, draft: bool, pipeline: Record | None) -> str:
    if record["state"] != "opened":
        return "not_open"
    if draft:
        return "draft_status"
    if call.project().get("only_allow_merge_if_pipeline_succeeds") and (pipeline or {}).get("status") != "success":
        return "ci_must_pass"
    return "mergeable"


def _head_pipeline(call: Call, sha: str) -> Record | None:
    project = call.project()["id"]
    found = [p for p in call.store.records("pipelines") if p["project_id"] == project and p["sha"] == sha]
    names = ("id", "iid", "project_id", "sha", "ref", "status", "source")
    return {name: found[-1][name] for name in names} if found else None


def _about_title(before: str, after: str) -> list[str]:
    """What is noted of a new title: that it is a draft or no more, and else how it changed."""
    was, now_is = DRAFT.match(before), DRAFT.match(after)
    if before == after:
        return []
    found = [] if bool(was) == bool(now_is) else [notes.DRAFT if now_is else notes.READY]
    if DRAFT.sub("", before, count=1) != DRAFT.sub("", after, count=1):
        found.append(f"changed title from **{{-{before}-}}** to **{{+{after}+}}**")
    return found


def _note_reviewers(call: Call, record: Record, before: list[int], after: list[int]) -> None:
    def named(people: list[int]) -> str:
        return " and ".join(f"@{call.person(user)['username']}" for user in people)

    asked, freed = [u for u in after if u not in before], [u for u in before if u not in after]
    words = [f"requested review from {named(asked)}"] if asked else []
    words += [f"removed review request for {named(freed)}"] if freed else []
    if words:
        notes.add(call.store, call.project(), record, call.user(), " and ".join(words), is_system=True)


def _people(call: Call, name: str) -> list[int]:
    try:
        return [int(user) for user in call.parameters.get(name) or [] if int(user)]
    except (TypeError, ValueError) as error:
        raise Refusal(400, f"{name} is invalid") from error


def _labels(value: Any) -> list[str]:
    labels = value if isinstance(value, list) else str(value or "").split(",")
    return [label.strip() for label in labels if label.strip()]


ROUTES = (
    Route("POST", "/projects/{project}/merge_requests", create, DEVELOPER, 201),
    Route("GET", "/projects/{project}/merge_requests", search),
    Route("GET", "/projects/{project}/merge_requests/{iid}", get),
    Route("PUT", "/projects/{project}/merge_requests/{iid}", change, DEVELOPER),
    Route("PUT", "/projects/{project}/merge_requests/{iid}/merge", merge, DEVELOPER),
    Route("GET", "/projects/{project}/repository/commits/{sha}/merge_requests", of_commit),
)
