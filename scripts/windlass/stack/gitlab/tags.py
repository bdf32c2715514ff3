"""Tags: made on a commit or branch by the operator."""

from .call import Call, Record, Refusal, Route
from .repository import GitRefused


def create(call: Call) -> Record:
    """The new tag `tag_name` on `ref`."""
    repository, name = call.repository(), call.required("tag_name")
    commit = repository.commit(call.required("ref"))
    if commit is None:
        raise Refusal(400, "Target " + call.required("ref") + " is invalid")
    if name in repository.references("tags"):
        raise Refusal(400, f"Tag {name} already exists")
    try:
        repository.tag(name, commit, str(call.parameters.get("message") or ""))
    except GitRefused as refused:
        raise Refusal(400, f"Tag name invalid: {refused}") from refused
    return _tag(call, name, commit)


def search(call: Call) -> list[Record]:
    """All tags, by name."""
    tags = call.repository().references("tags")
    return [_tag(call, name, tags[name]) for name in sorted(tags)]


def get(call: Call) -> Record:
    """One tag."""
    tags = call.repository().references("tags")
    if call.path["tag"] not in tags:
        raise Refusal(404, "404 Tag Not Found")
    return _tag(call, call.path["tag"], tags[call.path["tag"]])


def _tag(call: Call, name: str, commit: str) -> Record:
    return {"name": name, "target": commit, "commit": call.repository().describe(commit)}


ROUTES = (
    Route("POST", "/projects/{project}/repository/tags", create, status=201),
    Route("GET", "/projects/{project}/repository/tags", search, job_token=True),
    Route("GET", "/projects/{project}/repository/tags/{tag}", get, job_token=True),
)
