"""Protected branches and tags: who may push, merge and create, by role and by name or wildcard."""

import re
from collections.abc import Callable
from typing import Any

from .access import MAINTAINER, NOBODY
from .call import DEVELOPER, Call, Record, Refusal, Route
from .store import Store

BRANCHES, TAGS = "protected_branches", "protected_tags"
WORDS = {NOBODY: "No one", 30: "Developers + Maintainers", 40: "Maintainers", 60: "Administrators"}


def rules(store: Store, project: Record, collection: str, name: str) -> list[Record]:
    """The rules that protect the branch or tag of this name."""
    return [rule for rule in store.records(f"{project['id']}/{collection}") if _matches(rule["name"], name)]


def allows(found: list[Record], action: str, level: int) -> bool:
    """Whether one of the rules lets this level do `action` (push, merge or create); True where none protects."""
    levels = [entry["access_level"] for rule in found for entry in rule[f"{action}_access_levels"]]
    return not found or any(NOBODY < needed <= level for needed in levels)


def protect_default(store: Store, project: Record) -> None:
    """Protects the default branch, as GitLab does when it comes into being: maintainers push and merge."""
    if not rules(store, project, BRANCHES, project["default_branch"]):
        store.add(f"{project['id']}/{BRANCHES}", "id", _branch_rule(project["default_branch"], {}))


def protect_branch(call: Call) -> Record:
    """A branch name or wildcard that now is protected."""
    return _protect(call, BRANCHES, "Protected branch", _branch_rule)


def protect_tag(call: Call) -> Record:
    """A tag name or wildcard that now is protected."""
    return _protect(call, TAGS, "Protected tag", _tag_rule)


def change_branch(call: Call) -> Record:
    """The protected branch with another answer to whether force pushes are allowed."""
    rule = get_branch(call) | call.given("allow_force_push", "code_owner_approval_required")
    for action in ("push", "merge"):
        if changes := call.parameters.get(f"allowed_to_{action}"):
            rule[f"{action}_access_levels"] = [_level(int(one["access_level"])) for one in changes]
    return call.store.replace(call.collection(BRANCHES), "id", rule)


def search_branches(call: Call) -> list[Record]:
    """All protected branches and wildcards."""
    wanted = str(call.parameters.get("search") or "")
    return [rule for rule in call.store.records(call.collection(BRANCHES)) if wanted in rule["name"]]


def search_tags(call: Call) -> list[Record]:
    """All protected tags and wildcards."""
    return call.store.records(call.collection(TAGS))


def get_branch(call: Call) -> Record:
    """One protected branch or wildcard."""
    return call.one(BRANCHES, "name", "name", "404 Not found")


def get_tag(call: Call) -> Record:
    """One protected tag or wildcard."""
    return call.one(TAGS, "name", "name", "404 Not found")


def unprotect_branch(call: Call) -> None:
    """The branch is as any other."""
    call.store.remove(call.collection(BRANCHES), "id", get_branch(call))


def unprotect_tag(call: Call) -> None:
    """The tag is as any other."""
    call.store.remove(call.collection(TAGS), "id", get_tag(call))


def _protect(call: Call, collection: str, what: str, rule: Callable[[str, dict[str, Any]], Record]) -> Record:
    name = call.required("name")
    with call.store.lock:
        if call.store.find(call.collection(collection), lambda r: bool(r["name"] == name)):
            raise Refusal(409, f"{what} '{name}' already exists")
        return call.store.add(call.collection(collection), "id", rule(name, call.parameters))


def _branch_rule(name: str, parameters: dict[str, Any]) -> Record:
    return {
        "name": name,
        "push_access_levels": _levels(parameters, "push"),
        "merge_access_levels": _levels(parameters, "merge"),
        "unprotect_access_levels": [],
        "allow_force_push": bool(parameters.get("allow_force_push", False)),
        "code_owner_approval_required": False,
    }


def _tag_rule(name: str, parameters: dict[str, Any]) -> Record:
    return {"name": name, "create_access_levels": _levels(parameters, "create")}


def _levels(parameters: dict[str, Any], action: str) -> list[Record]:
    several = parameters.get(f"allowed_to_{action}")
    if several:
        return [_level(int(one["access_level"])) for one in several]
    return [_level(int(parameters.get(f"{action}_access_level", MAINTAINER)))]


def _level(level: int) -> Record:
    if level not in WORDS:
        raise Refusal(400, "access_level does not have a valid value")
    return {"id": level, "access_level": level, "access_level_description": WORDS[level]}


def _matches(pattern: str, name: str) -> bool:
    """`*` stands for any text; nothing else is special."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None


ROUTES = (
    Route("GET", "/projects/{project}/protected_branches", search_branches, DEVELOPER),
    Route("POST", "/projects/{project}/protected_branches", protect_branch, MAINTAINER, 201),
    Route("GET", "/projects/{project}/protected_branches/{name}", get_branch, DEVELOPER),
    Route("PATCH", "/projects/{project}/protected_branches/{name}", change_branch, MAINTAINER),
    Route("DELETE", "/projects/{project}/protected_branches/{name}", unprotect_branch, MAINTAINER, 204),
    Route("GET", "/projects/{project}/protected_tags", search_tags, MAINTAINER),
    Route("POST", "/projects/{project}/protected_tags", protect_tag, MAINTAINER, 201),
    Route("GET", "/projects/{project}/protected_tags/{name}", get_tag, MAINTAINER),
    Route("DELETE", "/projects/{project}/protected_tags/{name}", unprotect_tag, MAINTAINER, 204),
)
