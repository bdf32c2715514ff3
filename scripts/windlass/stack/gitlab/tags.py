"""Tags: made on a commit or branch by those who may, and listed with whether they are protected."""

import re

from . import protections, pushes
from .call import DEVELOPER, Call, Record, Refusal, Route
from .pushes import Update
from .repository import GitRefused

NOTHING = "0" * 40


def create(call: Call) -> Record:
    """The new tag `tag_name` on `ref`."""
    repository, name = call.repository(), call.required("tag_name")
    commit = repository.commit(call.required("ref"))
    if commit is None:
        raise Refusal(400, "Target " + call.required("ref") + " is invalid")
    if name in repository.references("tags"):
        raise Refusal(400, f"Tag {name} already exists")
    make(call, name, commit, str(call.parameters.get("message") or ""))
    return _shown(call, name)


def make(call: Call, name: str, commit: str, message: str) -> None:
    """Makes the tag, if the caller may."""
    update = Update(NOTHING, commit, f"refs/tags/{name}")
    judgement = pushes.judge(call.store, call.project(), call.level(call.project()), [update], is_empty=False)
    if judgement.refused:
        raise Refusal(400, judgement.refused)
    author = {"name": call.user()["name"], "email": call.user()["email"]}
    try:
        call.repository().tag(name, commit, message, author)
    except GitRefused as refused:
        raise Refusal(400, f"Tag name invalid: {refused}") from refused


def search(call: Call) -> list[Record]:
    """All tags, the latest first; `search` is a part of the name, `^v` its beginning."""
    order = call.among("order_by", ("updated", "name", "version"), "updated")
    wanted = str(call.parameters.get("search") or "")
    key = {"updated": "creatordate", "name": "refname", "version": "version:refname"}[order]
    names = call.repository().git("for-each-ref", f"--sort={key}", "--format=%(refname:strip=2)", "refs/tags")
    found = [n for n in names.splitlines() if (n.startswith(wanted[1:]) if wanted[:1] == "^" else wanted in n)]
    return [_shown(call, n) for n in (found if call.parameters.get("sort") == "asc" else reversed(found))]


def get(call: Call) -> Record:
    """One tag."""
    _need(call)
    return _shown(call, call.path["tag"])


def delete(call: Call) -> None:
    """The tag is gone, if the caller may take it away."""
    _need(call)
    rules = protections.rules(call.store, call.project(), protections.TAGS, call.path["tag"])
    if not protections.allows(rules, "create", call.level(call.project())):
        raise Refusal(403, "403 Forbidden")
    call.repository().git("update-ref", "-d", f"refs/tags/{call.path['tag']}")


def _need(call: Call) -> None:
    if call.path["tag"] not in call.repository().references("tags"):
        raise Refusal(404, "404 Tag Not Found")


def _shown(call: Call, name: str) -> Record:
    repository = call.repository()
    form = "%(objecttype)%00%(objectname)%00%(contents)%00%(creatordate:iso-strict)"
    kind, target, message, made = repository.git("for-each-ref", f"--format={form}", f"refs/tags/{name}").split("\0")
    release = call.store.find(call.collection("releases"), lambda r: bool(r["tag_name"] == name))
    return {
        "name": name,
        "message": re.sub(r"\n$", "", message) if kind == "tag" else "",
        "target": target,
        "commit": repository.describe(repository.references("tags")[name]),
        "release": {"tag_name": name, "description": release["description"]} if release else None,
        "protected": bool(protections.rules(call.store, call.project(), protections.TAGS, name)),
        "created_at": made if kind == "tag" else None,
    }


ROUTES = (
    Route("POST", "/projects/{project}/repository/tags", create, DEVELOPER, 201),
    Route("GET", "/projects/{project}/repository/tags", search, keyset=True),
    Route("GET", "/projects/{project}/repository/tags/{tag}", get),
    Route("DELETE", "/projects/{project}/repository/tags/{tag}", delete, DEVELOPER, 204),
)
