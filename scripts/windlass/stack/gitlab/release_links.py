"""Links of a release to what belongs to it, such as its manifest."""

from typing import Any

from .call import DEVELOPER, Call, Record, Refusal, Route

COLLECTION = "release_links"
TYPES = ("other", "runbook", "image", "package")


def add(call: Call, release: Record, link: dict[str, Any]) -> Record:
    """The link as stored; name and URL are each there once in a release."""
    if not link.get("name") or not str(link.get("url") or "").startswith(("http://", "https://", "ftp://")):
        raise Refusal(400, "name or url is missing or invalid")
    names = ("name", "url", "link_type", "direct_asset_path", "filepath")
    record: Record = {name: link[name] for name in names if name in link}
    for other in _all(call, release):
        if link["name"] == other["name"] or link["url"] == other["url"]:
            raise Refusal(400, {"name" if link["name"] == other["name"] else "url": ["has already been taken"]})
    return call.store.add(call.collection(COLLECTION), "id", {"tag_name": release["tag_name"], **record})


def of(call: Call, release: Record) -> list[Record]:
    """The release's links as the API tells them, the last one first."""
    return [_shown(call, link) for link in reversed(_all(call, release))]


def search(call: Call) -> list[Record]:
    """The links of the release."""
    return of(call, _release(call))


def get(call: Call) -> Record:
    """One link."""
    return _shown(call, _one(call))


def create(call: Call) -> Record:
    """A new link."""
    with call.store.lock:
        return _shown(call, add(call, _release(call), call.parameters))


def change(call: Call) -> Record:
    """The link with another name or URL."""
    record = _one(call) | call.given("name", "url", "link_type")
    return _shown(call, call.store.replace(call.collection(COLLECTION), "id", record))


def delete(call: Call) -> Record:
    """The link is gone."""
    link = _one(call)
    call.store.remove(call.collection(COLLECTION), "id", link)
    return _shown(call, link)


def _all(call: Call, release: Record) -> list[Record]:
    return [one for one in call.store.records(call.collection(COLLECTION)) if one["tag_name"] == release["tag_name"]]


def _one(call: Call) -> Record:
    for link in _all(call, _release(call)):
        if str(link["id"]) == call.path["link"]:
            return link
    raise Refusal(404, "404 Not found")


def _release(call: Call) -> Record:
    return call.one("releases", "tag_name", "tag", "404 Not Found")


def _shown(call: Call, link: Record) -> Record:
    path = link.get("direct_asset_path") or link.get("filepath")
    direct = call.page(f"releases/{link['tag_name']}/downloads{path}") if path else link["url"]
    kind = link.get("link_type", "other")
    return {"id": link["id"], "name": link["name"], "url": link["url"], "direct_asset_url": direct, "link_type": kind}


ROUTES = (
    Route("GET", "/projects/{project}/releases/{tag}/assets/links", search),
    Route("POST", "/projects/{project}/releases/{tag}/assets/links", create, DEVELOPER, 201),
    Route("GET", "/projects/{project}/releases/{tag}/assets/links/{link}", get),
    Route("PUT", "/projects/{project}/releases/{tag}/assets/links/{link}", change, DEVELOPER),
    Route("DELETE", "/projects/{project}/releases/{tag}/assets/links/{link}", delete, DEVELOPER),
)
