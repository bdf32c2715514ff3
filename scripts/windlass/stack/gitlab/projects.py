"""Projects with their settings, and which other projects' jobs may use their tokens here."""

import re

from . import access, groups
from .call import GUEST, MAINTAINER, Call, Record, Refusal, Route, now

PATH = re.compile(r"[A-Za-z0-9_][\w.-]*")

SETTINGS = {
    "description": None,
    "visibility": "private",
    "default_branch": "main",
    "merge_method": "merge",
    "squash_option": "default_off",
    "only_allow_merge_if_pipeline_succeeds": False,
    "only_allow_merge_if_all_discussions_are_resolved": False,
    "allow_merge_on_skipped_pipeline": None,
    "remove_source_branch_after_merge": True,
    "ci_config_path": None,
    "ci_default_git_depth": 20,
    "ci_forward_deployment_enabled": True,
    "ci_forward_deployment_rollback_allowed": True,
    "ci_push_repository_for_job_token_allowed": False,
    "ci_pipeline_variables_minimum_override_role": "no_one_allowed",
    "ci_id_token_sub_claim_components": ["project_path", "ref_type", "ref"],
    "build_timeout": 3600,
    "auto_cancel_pending_pipelines": "enabled",
    "keep_latest_artifact": True,
    "shared_runners_enabled": True,
    "public_jobs": True,
    "resource_group_default_process_mode": "unordered",
    "topics": [],
}
"""What a project's settings are until somebody changes them: GitLab's defaults."""


def create(call: Call) -> Record:
    """A new project with an empty bare repository, in the group `namespace_id`, else the caller's own."""
    name = str(call.parameters.get("path") or call.required("name"))
    group = _namespace(call)
    for part in [*group.split("/"), name]:
        if not PATH.fullmatch(part) or part.endswith((".git", ".atom", ".")):
            raise Refusal(400, f"path {part!r} can contain only letters, digits, '_', '-' and '.'")
    if access.group_level(call.store, call.user(), group) < MAINTAINER:
        raise Refusal(403, "403 Forbidden")
    full = f"{group}/{name}"
    with call.store.lock:
        if call.store.find("projects", lambda p: str(p["path_with_namespace"]).lower() == full.lower()):
            raise Refusal(400, "path has already been taken")
        own = {"name": str(call.parameters.get("name") or name), "path": name, "path_with_namespace": full}
        record = SETTINGS | _settings(call) | own | {"creator_id": call.user()["id"], "created_at": now()}
        project = call.store.add("projects", "id", record)
        call.repositories(project["id"]).create(project["default_branch"])
    return shown(call, project)


def shown(call: Call, project: Record) -> Record:
    """The project as the API tells it; the stack's address may be another one after a restart."""
    url, path = f"{call.url}/{project['path_with_namespace']}", str(project["path_with_namespace"])
    above = path.rpartition("/")[0]
    group = call.store.find("groups", lambda group: bool(group["full_path"] == above))
    known = group or {"id": project.get("creator_id", 1), "name": above, "path": above}
    kind = {"full_path": above, "kind": "group" if group else "user"}
    level = call.level(project)
    role = {"access_level": level, "notification_level": 3} if level else None
    return (
        SETTINGS
        | project
        | {
            "name_with_namespace": path.replace("/", " / "),
            "namespace": {name: known[name] for name in ("id", "name", "path")} | kind,
            "permissions": {"project_access": role, "group_access": None},
            "web_url": url,
            "http_url_to_repo": f"{url}.git",
        }
    )


def get(call: Call) -> Record:
    """One project."""
    return shown(call, call.project())


def search(call: Call) -> list[Record]:
    """The projects that the caller may see, newest first; `search` is a part of their path."""
    wanted = str(call.parameters.get("search") or "").lower()
    seen = [p for p in call.store.records("projects") if call.level(p) or call.may_see(p)]
    if call.flag("membership"):
        seen = [p for p in seen if call.level(p)]
    found = [p for p in seen if wanted in p["path_with_namespace"].lower()]
    return [shown(call, p) for p in (found if call.parameters.get("sort") == "asc" else reversed(found))]


def of_group(call: Call) -> list[Record]:
    """The projects of a group."""
    prefix = f"{groups.one(call)['full_path']}/"
    deep = call.flag("include_subgroups")
    inside = [p for p in search(call) if p["path_with_namespace"].startswith(prefix)]
    return [p for p in inside if deep or "/" not in p["path_with_namespace"].removeprefix(prefix)]


def change(call: Call) -> Record:
    """The project with other settings."""
    changed = call.store.replace("projects", "id", call.project() | _settings(call))
    return shown(call, changed)


def job_token_scope(call: Call) -> Record:
    """Whether the tokens of other projects' jobs are refused here; they are unless they are on the allowlist."""
    return {"inbound_enabled": call.project().get("limits_job_tokens", True), "outbound_enabled": False}


def change_job_token_scope(call: Call) -> None:
    """Other projects' jobs' tokens count here or not, whatever the allowlist says."""
    call.required("enabled")
    call.store.replace("projects", "id", call.project() | {"limits_job_tokens": call.flag("enabled")})


def allowlist(call: Call) -> list[Record]:
    """The other projects whose jobs' tokens count here."""
    entries = call.store.records(call.collection("job_token_allowlist"))
    own = {entry["project_id"] for entry in entries} | {call.project()["id"]}
    return [shown(call, project) for project in call.store.records("projects") if project["id"] in own]


def allowed_groups(call: Call) -> list[Record]:
    """The groups whose projects' jobs' tokens count here."""
    own = {entry["group_id"] for entry in call.store.records(call.collection("job_token_allowlist"))}
    return [groups.shown(call, group) for group in call.store.records("groups") if group["id"] in own]


def allow(call: Call) -> Record:
    """Another project whose jobs' tokens now count here."""
    entry = {"project_id": call.number("target_project_id"), "group_id": None}
    call.store.add(call.collection("job_token_allowlist"), "id", entry)
    return {"source_project_id": call.project()["id"], "target_project_id": entry["project_id"]}


def allow_group(call: Call) -> Record:
    """A group whose projects' jobs' tokens now count here."""
    entry = {"project_id": None, "group_id": call.number("target_group_id")}
    call.store.add(call.collection("job_token_allowlist"), "id", entry)
    return {"source_project_id": call.project()["id"], "target_group_id": entry["group_id"]}


def disallow(call: Call) -> None:
    """The other project's jobs' tokens count here no more."""
    entry = call.one("job_token_allowlist", "project_id", "target")
    call.store.remove(call.collection("job_token_allowlist"), "id", entry)


def disallow_group(call: Call) -> None:
    """The group's projects' jobs' tokens count here no more."""
    entry = call.one("job_token_allowlist", "group_id", "target")
    call.store.remove(call.collection("job_token_allowlist"), "id", entry)


def _namespace(call: Call) -> str:
    wanted = call.parameters.get("namespace_id")
    if wanted is None:
        return str(call.user()["username"])
    found = call.store.find("groups", lambda group: bool(group["id"] == int(wanted)))
    if found is None:
        raise Refusal(400, "namespace is not valid")
    return str(found["full_path"])


def _settings(call: Call) -> Record:
    call.among("merge_method", ("merge", "rebase_merge", "ff"), "merge")
    call.among("visibility", ("private", "internal", "public"), "private")
    roles = ("no_one_allowed", "developer", "maintainer", "owner")
    call.among("ci_pipeline_variables_minimum_override_role", roles, "no_one_allowed")
    given = {name: value for name, value in call.given(*SETTINGS).items() if value is not None}
    flags = {name: call.flag(name) for name in given if isinstance(SETTINGS[name], bool)}
    return given | flags


ROUTES = (
    Route("POST", "/projects", create, status=201),
    Route("GET", "/projects", search, keyset=True),
    Route("GET", "/groups/{group}/projects", of_group),
    Route("GET", "/projects/{project}", get, GUEST),
    Route("PUT", "/projects/{project}", change, MAINTAINER),
    Route("GET", "/projects/{project}/job_token_scope", job_token_scope, MAINTAINER),
    Route("PATCH", "/projects/{project}/job_token_scope", change_job_token_scope, MAINTAINER, 204),
    Route("GET", "/projects/{project}/job_token_scope/allowlist", allowlist, MAINTAINER),
    Route("GET", "/projects/{project}/job_token_scope/groups_allowlist", allowed_groups, MAINTAINER),
    Route("DELETE", "/projects/{project}/job_token_scope/groups_allowlist/{target}", disallow_group, MAINTAINER, 204),
    Route("POST", "/projects/{project}/job_token_scope/allowlist", allow, MAINTAINER, 201),
    Route("POST", "/projects/{project}/job_token_scope/groups_allowlist", allow_group, MAINTAINER, 201),
    Route("DELETE", "/projects/{project}/job_token_scope/allowlist/{target}", disallow, MAINTAINER, 204),
)
