"""Releases: one per tag, with links to what belongs to them; a job may make one, as in GitLab."""

import re

from . import release_links, tags
from .call import DEVELOPER, GUEST, Call, Record, Refusal, Route, now
from .store import Store

COLLECTION = "releases"


def create(call: Call) -> Record:
    """The new release of `tag_name`; the tag is made on `ref` when it is not there yet."""
    repository, tag = call.repository(), call.required("tag_name")
    with call.store.lock:
        if find(call.store, call.collection(COLLECTION), tag):
            raise Refusal(409, "Release already exists")
        if tag not in repository.references("tags"):
            commit = repository.commit(str(call.parameters.get("ref") or ""))
            if commit is None:
                raise Refusal(422, "Ref is not specified")
            tags.make(call, tag, commit, str(call.parameters.get("tag_message") or ""))
        record = {
            "tag_name": tag,
            "name": str(call.parameters.get("name") or tag),
            "description": str(call.parameters.get("description") or ""),
            "author_id": call.user()["id"],
            "sha": repository.references("tags")[tag],
            "created_at": now(),
            "released_at": str(call.parameters.get("released_at") or now()),
            "evidences": [],
        }
        release = call.store.add(call.collection(COLLECTION), "id", record)
        for link in (call.parameters.get("assets") or {}).get("links", []):
            release_links.add(call, release, link)
        _collect(call, release)
    return _shown(call, _one(call, tag))


def search(call: Call) -> list[Record]:
    """All releases, newest first."""
    return [_shown(call, release) for release in reversed(call.store.records(call.collection(COLLECTION)))]


def get(call: Call) -> Record:
    """The release of one tag."""
    return _shown(call, _one(call, call.path["tag"]))


def latest(call: Call) -> Record:
    """The newest release."""
    found = search(call)
    if not found:
        raise Refusal(404, "404 Not found")
    return found[0]


def change(call: Call) -> Record:
    """The release with another name or description."""
    record = _one(call, call.path["tag"]) | call.given("name", "description", "released_at")
    return _shown(call, call.store.replace(call.collection(COLLECTION), "id", record))


def delete(call: Call) -> Record:
    """The release is gone, its tag stays."""
    record = _one(call, call.path["tag"])
    shown = _shown(call, record)
    call.store.remove(call.collection(COLLECTION), "id", record)
    return shown


def collect(call: Call) -> Record:
    """A snapshot of what the release is now."""
    return _shown(call, _collect(call, _one(call, call.path["tag"])))


def find(store: Store, collection: str, tag: str) -> Record | None:
    """The release of the tag, or None."""
    return store.find(collection, lambda r: bool(r["tag_name"] == tag))


def _collect(call: Call, release: Record) -> Record:
    evidence = {
        "sha": re.sub("[^0-9a-f]", "", release["sha"])[:64].ljust(64, "0"),
        "filepath": call.page(f"releases/{release['tag_name']}/evidences/{len(release['evidences']) + 1}.json"),
        "collected_at": now(),
    }
    changed = release | {"evidences": [*release["evidences"], evidence]}
    return call.store.replace(call.collection(COLLECTION), "id", changed)


def _one(call: Call, tag: str) -> Record:
    found = find(call.store, call.collection(COLLECTION), tag)
    if found is None:
        raise Refusal(404, "404 Not Found")
    return found


def _shown(call: Call, release: Record) -> Record:
    links = release_links.of(call, release)
    tag = release["tag_name"]
    kept = ("tag_name", "name", "description", "created_at", "released_at")
    sources = [
        {"format": form, "url": call.page(f"archive/{tag}/{call.project()['path']}-{tag}.{form}")}
        for form in ("zip", "tar.gz", "tar.bz2", "tar")
    ]
    return {name: release[name] for name in kept} | {
        "upcoming_release": False,
        "author": call.person(release.get("author_id", 1)),
        "commit": call.repository().describe(release.get("sha") or call.repository().references("tags")[tag]),
        "tag_path": f"/{call.project()['path_with_namespace']}/-/tags/{tag}",
        "evidences": release.get("evidences", []),
        "assets": {"count": len(links) + len(sources), "sources": sources, "links": links},
        "_links": {"self": call.page(f"releases/{tag}")},
    }


ROUTES = (
    Route("POST", "/projects/{project}/releases", create, DEVELOPER, 201),
    Route("GET", "/projects/{project}/releases", search, GUEST),
    Route("GET", "/projects/{project}/releases/permalink/latest", latest, GUEST),
    Route("GET", "/projects/{project}/releases/{tag}", get, GUEST),
    Route("PUT", "/projects/{project}/releases/{tag}", change, DEVELOPER),
    Route("DELETE", "/projects/{project}/releases/{tag}", delete, DEVELOPER),
    Route("POST", "/projects/{project}/releases/{tag}/evidence", collect, DEVELOPER, 201),
)
