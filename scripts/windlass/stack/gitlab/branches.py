"""Branches: listed with whether they are protected, made and deleted."""

from . import protections, pushes
from .call import DEVELOPER, Call, Record, Refusal, Route
from .pushes import Update

NOTHING = "0" * 40


def search(call: Call) -> list[Record]:
    """All branches with their commits; `search` is a part of the name."""
    heads = call.repository().references("heads")
    wanted = str(call.parameters.get("search") or "")
    return [_shown(call, name, heads[name]) for name in sorted(heads) if wanted in name]


def get(call: Call) -> Record:
    """One branch."""
    return _shown(call, call.path["branch"], _head(call))


def create(call: Call) -> Record:
    """The new branch `branch` at `ref`."""
    repository, name = call.repository(), call.required("branch")
    commit = repository.commit(call.required("ref"))
    if commit is None:
        raise Refusal(400, "Invalid reference name: " + call.required("ref"))
    if name in repository.references("heads"):
        raise Refusal(400, "Branch already exists")
    _need(call, Update(NOTHING, commit, f"refs/heads/{name}"))
    repository.git("check-ref-format", f"refs/heads/{name}")
    _move(call, Update(NOTHING, commit, f"refs/heads/{name}"))
    return _shown(call, name, commit)


def delete(call: Call) -> None:
    """The branch is gone; the default branch and protected ones stay."""
    update = Update(_head(call), NOTHING, f"refs/heads/{call.path['branch']}")
    _need(call, update)
    _move(call, update)


def _move(call: Call, update: Update) -> None:
    call.repository().git("update-ref", update.ref, update.new, update.old)
    pushes.follow(call.store, call.repository(), call.project(), call.user(), [update])


def _need(call: Call, update: Update) -> None:
    judgement = pushes.judge(call.store, call.project(), call.level(call.project()), [update], is_empty=False)
    if judgement.refused:
        raise Refusal(403, judgement.refused)


def _head(call: Call) -> str:
    heads = call.repository().references("heads")
    if call.path["branch"] not in heads:
        raise Refusal(404, "404 Branch Not Found")
    return heads[call.path["branch"]]


def _shown(call: Call, name: str, commit: str) -> Record:
    project, level = call.project(), call.level(call.project())
    rules = protections.rules(call.store, project, protections.BRANCHES, name)
    return {
        "name": name,
        "default": name == project["default_branch"],
        "protected": bool(rules),
        "developers_can_push": bool(rules) and protections.allows(rules, "push", DEVELOPER),
        "developers_can_merge": bool(rules) and protections.allows(rules, "merge", DEVELOPER),
        "can_push": level >= DEVELOPER and protections.allows(rules, "push", level),
        "merged": False,
        "commit": call.repository().describe(commit),
        "web_url": call.page(f"tree/{name}"),
    }


ROUTES = (
    Route("GET", "/projects/{project}/repository/branches", search, keyset=True),
    Route("POST", "/projects/{project}/repository/branches", create, DEVELOPER, 201),
    Route("GET", "/projects/{project}/repository/branches/{branch}", get),
    Route("DELETE", "/projects/{project}/repository/branches/{branch}", delete, DEVELOPER, 204),
)
