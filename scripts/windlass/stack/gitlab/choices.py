"""Which values a parameter may have: a call with another one is refused before it is looked at, as in GitLab."""

from .call import Call, Refusal, Route

ORDER = ("asc", "desc")
STATES = ("opened", "closed", "locked", "merged", "all")
ORDERS = ("created_at", "label_priority", "milestone_due", "popularity", "priority", "title", "updated_at", "merged_at")
SCOPES = ("created_by_me", "assigned_to_me", "reviews_for_me", "created-by-me", "assigned-to-me", "all")
STATUSES = (
    "created",
    "waiting_for_resource",
    "preparing",
    "waiting_for_callback",
    "pending",
    "running",
    "success",
    "failed",
    "canceling",
    "canceled",
    "skipped",
    "manual",
    "scheduled",
)
SOURCES = (
    "unknown",
    "push",
    "web",
    "trigger",
    "schedule",
    "api",
    "external",
    "pipeline",
    "chat",
    "webide",
    "merge_request_event",
    "external_pull_request_event",
    "parent_pipeline",
    "ondemand_dast_scan",
    "ondemand_dast_validation",
    "security_orchestration_policy",
    "container_registry_push",
    "duo_workflow",
    "pipeline_execution_policy_schedule",
    "dependency_management_security_update",
)
RUNNERS = ("instance_type", "group_type", "project_type")
SETTINGS = {
    "squash_option": ("never", "always", "default_on", "default_off"),
    "auto_cancel_pending_pipelines": ("disabled", "enabled"),
    "resource_group_default_process_mode": ("unordered", "oldest_first", "newest_first", "newest_ready_first"),
}
MERGE_REQUESTS = {"state": STATES, "scope": SCOPES, "wip": ("yes", "no"), "sort": ORDER}

CHOICES: dict[str, dict[str, tuple[str, ...]]] = {
    "GET /users": {"sort": ORDER},
    "GET /groups": {"sort": ORDER},
    "GET /projects": {"visibility": ("private", "internal", "public"), "sort": ORDER},
    "GET /groups/{group}/projects": {"visibility": ("private", "internal", "public"), "sort": ORDER},
    "POST /projects": SETTINGS,
    "PUT /projects/{project}": SETTINGS,
    "GET /projects/{project}/merge_requests": MERGE_REQUESTS,
    "GET /projects/{project}/deployments/{id}/merge_requests": MERGE_REQUESTS | {"order_by": ORDERS},
    "PUT /projects/{project}/merge_requests/{iid}": {"state_event": ("close", "reopen")},
    "GET /projects/{project}/repository/commits/{sha}/statuses": {"sort": ORDER},
    "GET /projects/{project}/repository/tags": {"sort": ORDER},
    "POST /projects/{project}/protected_tags": {"create_access_level": ("0", "30", "40", "60")},
    "GET /projects/{project}/pipelines": {
        "scope": ("running", "pending", "finished", "branches", "tags"),
        "status": STATUSES,
        "source": SOURCES,
        "sort": ORDER,
    },
    "GET /projects/{project}/deployments": {
        "status": ("created", "running", "success", "failed", "canceled", "skipped", "blocked"),
        "sort": ORDER,
    },
    "GET /projects/{project}/environments": {"states": ("available", "stopping", "stopped")},
    "GET /projects/{project}/releases": {"sort": ORDER},
    "GET /projects/{project}/packages": {"sort": ORDER},
    "PUT /projects/{project}/releases/{tag}/assets/links/{link}": {
        "link_type": ("other", "runbook", "image", "package"),
    },
    "PUT /projects/{project}/variables/{key}": {"variable_type": ("env_var", "file")},
    "PUT /groups/{group}/variables/{key}": {"variable_type": ("env_var", "file")},
    "POST /user/runners": {"runner_type": RUNNERS},
    "GET /runners/all": {"type": RUNNERS},
    "GET /projects/{project}/runners": {"type": RUNNERS},
}
"""By call. What is looked at where it is used, is not said here again."""


def refuse_others(route: Route, call: Call) -> None:
    """Refuses the call where one of its parameters has a value that there is not."""
    for name, values in CHOICES.get(f"{route.method} {route.path}", {}).items():
        value = call.parameters.get(name)
        if value is not None and str(value) not in values:
            raise Refusal(400, f"{name} does not have a valid value")
