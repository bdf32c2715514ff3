"""Commits and branches, read from the repository."""

from .call import Call, Record, Refusal, Route


def get(call: Call) -> Record:
    """One commit, named by hash, branch or tag."""
    commit = call.repository().commit(call.path["sha"])
    if commit is None:
        raise Refusal(404, "404 Commit Not Found")
    return call.repository().describe(commit)


def refs(call: Call) -> list[Record]:
    """The branches and tags whose history holds the commit; `type` is `branch`, `tag` or `all`."""
    repository, commit = call.repository(), get(call)["id"]
    wanted = str(call.parameters.get("type") or "all")
    return [
        {"type": kind, "name": name}
        for kind, folder in (("branch", "heads"), ("tag", "tags"))
        for name, head in sorted(repository.references(folder).items())
        if wanted in (kind, "all") and repository.contains(commit, head)
    ]


def branches(call: Call) -> list[Record]:
    """All branches with their commits."""
    default = call.project()["default_branch"]
    heads = call.repository().references("heads")
    return [_branch(call, name, heads[name], default) for name in sorted(heads)]


def branch(call: Call) -> Record:
    """One branch."""
    heads = call.repository().references("heads")
    if call.path["branch"] not in heads:
        raise Refusal(404, "404 Branch Not Found")
    name = call.path["branch"]
    return _branch(call, name, heads[name], call.project()["default_branch"])


def _branch(call: Call, name: str, commit: str, default: str) -> Record:
    return {"name": name, "default": name == default, "commit": call.repository().describe(commit)}


ROUTES = (
    Route("GET", "/projects/{project}/repository/commits/{sha}", get, job_token=True),
    Route("GET", "/projects/{project}/repository/commits/{sha}/refs", refs, job_token=True),
    Route("GET", "/projects/{project}/repository/branches", branches, job_token=True),
    Route("GET", "/projects/{project}/repository/branches/{branch}", branch, job_token=True),
)
