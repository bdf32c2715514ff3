"""What GitLab knows of a project's CI beside its pipelines: resource groups, schedules and whether a file is YAML."""

import yaml

from .call import DEVELOPER, MAINTAINER, REPORTER, Call, Record, Route, now
from .store import Store

GROUPS, SCHEDULES = "resource_groups", "pipeline_schedules"
MODES = ("unordered", "oldest_first", "newest_first", "newest_ready_first")


def resource_groups(call: Call) -> list[Record]:
    """The resource groups that jobs have used or that were set."""
    return call.store.records(call.collection(GROUPS))


def resource_group(call: Call) -> Record:
    """One resource group."""
    return call.one(GROUPS, "key", "key", "404 Resource Group Not Found")


def set_resource_group(call: Call) -> Record:
    """The resource group with another order; there is one only after a job has used it."""
    mode = call.among("process_mode", MODES, "unordered")
    changed = resource_group(call) | {"process_mode": mode, "updated_at": now()}
    return call.store.replace(call.collection(GROUPS), "id", changed)


def use_resource_group(store: Store, project: Record, key: str) -> None:
    """The group is there once a job has used it."""
    collection = f"{project['id']}/{GROUPS}"
    with store.lock:
        if not store.find(collection, lambda group: bool(group["key"] == key)):
            mode = project.get("resource_group_default_process_mode", "unordered")
            record = {"key": key, "process_mode": mode, "created_at": now(), "updated_at": now()}
            store.add(collection, "id", record)


def schedules(call: Call) -> list[Record]:
    """The pipeline schedules."""
    return [_shown(call, schedule) for schedule in call.store.records(call.collection(SCHEDULES))]


def schedule(call: Call) -> Record:
    """One pipeline schedule."""
    return _shown(call, call.one(SCHEDULES, "id", "schedule"))


def create_schedule(call: Call) -> Record:
    """A new pipeline schedule, owned by who makes it."""
    record = {name: call.required(name) for name in ("description", "ref", "cron")}
    record["cron_timezone"] = str(call.parameters.get("cron_timezone") or "UTC")
    told = {"active": call.flag("active", otherwise=True), "owner_id": call.user()["id"], "created_at": now()}
    return _shown(call, call.store.add(call.collection(SCHEDULES), "id", record | told))


def delete_schedule(call: Call) -> None:
    """The schedule is gone."""
    call.store.remove(call.collection(SCHEDULES), "id", call.one(SCHEDULES, "id", "schedule"))


def lint(call: Call) -> Record:
    """Whether `content` is a YAML mapping; what its keys mean is not looked at."""
    try:
        documents = list(yaml.safe_load_all(call.required("content")))
    except yaml.YAMLError as error:
        return {
            "valid": False,
            "errors": [f"Invalid configuration format: {error}"],
            "warnings": [],
            "merged_yaml": None,
        }
    errors = [] if documents and isinstance(documents[-1], dict) else ["Invalid configuration format"]
    return {"valid": not errors, "errors": errors, "warnings": [], "merged_yaml": call.required("content")}


def _shown(call: Call, record: Record) -> Record:
    kept = {name: value for name, value in record.items() if name != "owner_id"}
    return kept | {"owner": call.person(record["owner_id"])}


ROUTES = (
    Route("GET", "/projects/{project}/resource_groups", resource_groups),
    Route("GET", "/projects/{project}/resource_groups/{key}", resource_group),
    Route("PUT", "/projects/{project}/resource_groups/{key}", set_resource_group, DEVELOPER),
    Route("GET", "/projects/{project}/pipeline_schedules", schedules, REPORTER),
    Route("GET", "/projects/{project}/pipeline_schedules/{schedule}", schedule, REPORTER),
    Route("POST", "/projects/{project}/pipeline_schedules", create_schedule, DEVELOPER, 201),
    Route("DELETE", "/projects/{project}/pipeline_schedules/{schedule}", delete_schedule, MAINTAINER, 204),
    Route("POST", "/projects/{project}/ci/lint", lint, DEVELOPER),
)
