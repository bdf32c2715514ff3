"""Releases: one per tag; a job may make one, as in GitLab."""

from .call import Call, Record, Refusal, Route, now

COLLECTION = "releases"


def create(call: Call) -> Record:
    """The new release of `tag_name`; the tag is made on `ref` when it is not there yet."""
    repository, tag = call.repository(), call.required("tag_name")
    with call.store.lock:
        if call.store.find(call.collection(COLLECTION), lambda r: bool(r["tag_name"] == tag)):
            raise Refusal(409, "Release already exists")
        if tag not in repository.references("tags"):
            commit = repository.commit(str(call.parameters.get("ref") or ""))
            if commit is None:
                raise Refusal(422, "Ref is not specified")
            repository.tag(tag, commit, str(call.parameters.get("tag_message") or ""))
        return call.store.add(
            call.collection(COLLECTION),
            "id",
            {
                "tag_name": tag,
                "name": str(call.parameters.get("name") or tag),
                "description": str(call.parameters.get("description") or ""),
                "created_at": now(),
                "released_at": now(),
                "commit": repository.describe(repository.references("tags")[tag]),
                "assets": {"links": list((call.parameters.get("assets") or {}).get("links", []))},
                "_links": {"self": call.page(f"releases/{tag}")},
            },
        )


def search(call: Call) -> list[Record]:
    """All releases, newest first."""
    return list(reversed(call.store.records(call.collection(COLLECTION))))


def get(call: Call) -> Record:
    """The release of one tag."""
    wanted = call.path["tag"]
    found = call.store.find(call.collection(COLLECTION), lambda r: bool(r["tag_name"] == wanted))
    if found is None:
        raise Refusal(404, "404 Not Found")
    return found


ROUTES = (
    Route("POST", "/projects/{project}/releases", create, job_token=True, status=201),
    Route("GET", "/projects/{project}/releases", search, job_token=True),
    Route("GET", "/projects/{project}/releases/{tag}", get, job_token=True),
)
