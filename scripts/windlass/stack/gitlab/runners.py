"""Runners with their tags: who could take a job."""

import secrets

from .call import MAINTAINER, Call, Record, Refusal, Route

COLLECTION = "runners"
TYPES = ("project_type", "group_type", "instance_type")


def create(call: Call) -> Record:
    """A new runner, for one project (`project_id`) or for all."""
    kind = call.required("runner_type")
    project = call.number("project_id") if kind == "project_type" else None
    found = call.store.find("projects", lambda p: bool(p["id"] == project))
    if not (call.user().get("is_admin") if found is None else call.level(found) >= MAINTAINER):
        raise Refusal(403, "403 Forbidden")
    tags = call.parameters.get("tag_list") or []
    record = {
        "project_id": project,
        "description": call.parameters.get("description"),
        "runner_type": kind,
        "tag_list": tags if isinstance(tags, list) else [tag.strip() for tag in str(tags).split(",")],
        "run_untagged": call.flag("run_untagged", otherwise=True),
        "locked": call.flag("locked"),
        "paused": call.flag("paused"),
        "access_level": call.among("access_level", ("not_protected", "ref_protected"), "not_protected"),
    }
    runner = call.store.add(COLLECTION, "id", record)
    return {"id": runner["id"], "token": "glrt-" + secrets.token_hex(10), "token_expires_at": None}


def of_project(call: Call) -> list[Record]:
    """The runners that a project's jobs may run on, by tags (`tag_list`), type and whether they are paused."""
    project = call.project()["id"]
    tags = call.several("tag_list") or []
    kind, paused = call.parameters.get("type"), call.parameters.get("paused")
    found = [r for r in call.store.records(COLLECTION) if r["project_id"] in (None, project)]
    found = [r for r in found if set(tags) <= set(r["tag_list"]) and kind in (None, r["runner_type"])]
    return [_shown(r) for r in found if paused is None or call.flag("paused") == r["paused"]]


def search_all(call: Call) -> list[Record]:
    """All runners, for an administrator."""
    call.need_admin()
    return [_shown(runner) for runner in call.store.records(COLLECTION)]


def get(call: Call) -> Record:
    """One runner with its tags."""
    runner = _one(call)
    names = ("tag_list", "run_untagged", "locked", "access_level")
    return _shown(runner) | {name: runner[name] for name in names}


def delete(call: Call) -> None:
    """The runner is gone."""
    call.store.remove(COLLECTION, "id", _one(call))


def _one(call: Call) -> Record:
    found = call.store.find(COLLECTION, lambda runner: str(runner["id"]) == call.path["runner"])
    if found is None:
        raise Refusal(404, "404 Not found")
    project = call.store.find("projects", lambda p: bool(p["id"] == found["project_id"]))
    if not call.user().get("is_admin") and (project is None or call.level(project) < MAINTAINER):
        raise Refusal(403, "403 Forbidden")
    return found


def _shown(runner: Record) -> Record:
    kept = {name: runner[name] for name in ("id", "description", "paused", "runner_type")}
    return (
        kept
        | {"active": not runner["paused"], "is_shared": runner["project_id"] is None, "online": True}
        | {"status": "online"}
    )


ROUTES = (
    Route("POST", "/user/runners", create, status=201),
    Route("GET", "/runners/all", search_all),
    Route("GET", "/runners/{runner}", get),
    Route("DELETE", "/runners/{runner}", delete, status=204),
    Route("GET", "/projects/{project}/runners", of_project, MAINTAINER),
)
