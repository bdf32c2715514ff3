"""Projects: made by the operator, found by number or by path."""

import re

from .call import Call, Record, Refusal, Route, now

PATH = re.compile(r"[A-Za-z0-9_][\w.-]*")


def create(call: Call) -> Record:
    """A new project with an empty bare repository; `namespace_path` names its group."""
    name = str(call.parameters.get("path") or call.required("name"))
    group = str(call.parameters.get("namespace_path") or "root")
    for part in [*group.split("/"), name]:
        if not PATH.fullmatch(part) or part.endswith((".git", ".atom", ".")):
            raise Refusal(400, f"path {part!r} can contain only letters, digits, '_', '-' and '.'")
    full = f"{group}/{name}"
    with call.store.lock:
        if call.store.find("projects", lambda p: str(p["path_with_namespace"]).lower() == full.lower()):
            raise Refusal(400, "path has already been taken")
        project = call.store.add(
            "projects",
            "id",
            {
                "name": str(call.parameters.get("name") or name),
                "path": name,
                "path_with_namespace": full,
                "default_branch": str(call.parameters.get("default_branch") or "main"),
                "visibility": str(call.parameters.get("visibility") or "private"),
                "created_at": now(),
            },
        )
        call.repositories(project["id"]).create(project["default_branch"])
    return shown(call, project)


def shown(call: Call, project: Record) -> Record:
    """The project as the API tells it; the stack's address may be another one after a restart."""
    url = f"{call.url}/{project['path_with_namespace']}"
    return project | {"web_url": url, "http_url_to_repo": f"{url}.git"}


def get(call: Call) -> Record:
    """One project."""
    return shown(call, call.project())


def search(call: Call) -> list[Record]:
    """All projects."""
    return [shown(call, project) for project in call.store.records("projects")]


ROUTES = (
    Route("POST", "/projects", create, status=201),
    Route("GET", "/projects", search),
    Route("GET", "/projects/{project}", get, job_token=True),
)
