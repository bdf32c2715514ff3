"""The generic package registry: files under a name and a version; a job may upload them."""

import hashlib

from .call import DEVELOPER, MAINTAINER, Call, Raw, Record, Refusal, Route, now

COLLECTION, FILES = "packages", "package_files"


def search(call: Call) -> list[Record]:
    """The packages, newest first, by `package_name` and `package_type`."""
    name = call.parameters.get("package_name")
    found = [p for p in call.store.records(call.collection(COLLECTION)) if name in (None, p["name"])]
    return [_shown(package) for package in reversed(found)]


def get(call: Call) -> Record:
    """One package."""
    return _shown(call.one(COLLECTION, "id", "package"))


def files(call: Call) -> list[Record]:
    """The files of a package."""
    package = call.one(COLLECTION, "id", "package")
    return [f for f in call.store.records(call.collection(FILES)) if f["package_id"] == package["id"]]


def delete(call: Call) -> None:
    """The package is gone."""
    call.store.remove(call.collection(COLLECTION), "id", call.one(COLLECTION, "id", "package"))


def upload(call: Call) -> Record:
    """A file of a package, which is made when it is not there yet; the same name again is a newer file."""
    name, version = call.path["name"], call.path["version"]
    digest = hashlib.sha256(call.body).hexdigest()
    with call.store.lock:
        package = _find(call) or call.store.add(
            call.collection(COLLECTION), "id", {"name": name, "version": version, "created_at": now()}
        )
        content = call.repository().folder.parent.parent / "packages" / digest
        content.parent.mkdir(parents=True, exist_ok=True)
        content.write_bytes(call.body)
        record = {"package_id": package["id"], "file_name": call.path["file"], "size": len(call.body)}
        call.store.add(call.collection(FILES), "id", {**record, "file_sha256": digest, "created_at": now()})
    return {"message": "201 Created"}


def download(call: Call) -> Raw:
    """The newest file of this name."""
    package = _find(call)
    own = [f for f in call.store.records(call.collection(FILES)) if package and f["package_id"] == package["id"]]
    found = [f for f in own if f["file_name"] == call.path["file"]]
    if not found:
        raise Refusal(404, "404 Not found")
    folder = call.repository().folder.parent.parent / "packages"
    return Raw((folder / found[-1]["file_sha256"]).read_bytes())


def _find(call: Call) -> Record | None:
    wanted = (call.path["name"], call.path["version"])
    return call.store.find(call.collection(COLLECTION), lambda p: (p["name"], p["version"]) == wanted)


def _shown(package: Record) -> Record:
    return package | {"package_type": "generic", "status": "default", "tags": []}


ROUTES = (
    Route("GET", "/projects/{project}/packages", search),
    Route("GET", "/projects/{project}/packages/{package}", get),
    Route("DELETE", "/projects/{project}/packages/{package}", delete, MAINTAINER, 204),
    Route("GET", "/projects/{project}/packages/{package}/package_files", files),
    Route("PUT", "/projects/{project}/packages/generic/{name}/{version}/{file}", upload, DEVELOPER, 201),
    Route("GET", "/projects/{project}/packages/generic/{name}/{version}/{file}", download),
)
