"""Commits as the repository has them: one, a history, where they are, and what lies between two."""

from . import pipelines
from .call import Call, Record, Refusal, Route
from .repository import GitRefused


def get(call: Call) -> Record:
    """One commit, named by hash, branch or tag; with the last pipeline that ran for it."""
    commit = resolve(call, call.path["sha"])
    own = [p for p in pipelines.of(call) if p["sha"] == commit]
    last = pipelines.shown(call, own[-1]) if own else None
    return call.repository().describe(commit) | {
        "status": last["status"] if last else None,
        "last_pipeline": last,
        "project_id": call.project()["id"],
        "web_url": call.page(f"commit/{commit}"),
    }


def search(call: Call) -> list[Record]:
    """The history of `ref_name` (or the range A..B), newest first, within `path`, `since` and `until`."""
    repository = call.repository()
    name = str(call.parameters.get("ref_name") or call.project()["default_branch"])
    ends = [resolve(call, end) for end in name.split("..")] if ".." in name else [resolve(call, name)]
    span = f"{ends[0]}..{ends[1]}" if len(ends) == 2 else ends[0]
    options = [f"--{name}={value}" for name, value in call.given("since", "until").items()]
    if call.flag("first_parent"):
        options.append("--first-parent")
    path = [str(call.parameters["path"])] if call.parameters.get("path") else []
    return [repository.describe(c) for c in repository.git("rev-list", *options, span, "--", *path).split()]


def refs(call: Call) -> list[Record]:
    """The branches and tags whose history holds the commit; `type` is `branch`, `tag` or `all`."""
    repository, commit = call.repository(), resolve(call, call.path["sha"])
    wanted = call.among("type", ("branch", "tag", "all"), "all")
    return [
        {"type": kind, "name": name}
        for kind, folder in (("branch", "heads"), ("tag", "tags"))
        for name, head in sorted(repository.references(folder).items())
        if wanted in (kind, "all") and repository.contains(commit, head)
    ]


def diff(call: Call) -> list[Record]:
    """What the commit changes against its first parent."""
    repository, commit = call.repository(), resolve(call, call.path["sha"])
    described = repository.describe(commit)
    parents = described["parent_ids"]
    assert isinstance(parents, list)
    base = parents[0] if parents else repository.git("hash-object", "-t", "tree", "--stdin")
    return repository.changes(base, commit)


def compare(call: Call) -> Record:
    """Commits and diffs from `from` to `to`: since they parted, or with `straight` as they are."""
    repository = call.repository()
    start, end = resolve(call, call.required("from")), resolve(call, call.required("to"))
    try:
        base = start if call.flag("straight") else repository.git("merge-base", start, end)
    except GitRefused:
        base = start
    commits = [repository.describe(commit) for commit in reversed(repository.commits(end, start))]
    return {
        "commit": commits[-1] if commits else None,
        "commits": commits,
        "diffs": repository.changes(base, end),
        "compare_timeout": False,
        "compare_same_ref": start == end,
        "web_url": call.page(f"compare/{start}...{end}"),
    }


def merge_base(call: Call) -> Record:
    """The commit from which all `refs` come."""
    call.required("refs")
    names = call.several("refs") or []
    try:
        found = call.repository().git("merge-base", *(resolve(call, name) for name in names))
    except GitRefused as refused:
        raise Refusal(404, "404 Merge Base Not Found") from refused
    return call.repository().describe(found)


def resolve(call: Call, name: str) -> str:
    """The hash of the commit that a branch, tag or hash names."""
    commit = call.repository().commit(name)
    if commit is None:
        raise Refusal(404, "404 Commit Not Found")
    return commit


ROUTES = (
    Route("GET", "/projects/{project}/repository/commits", search),
    Route("GET", "/projects/{project}/repository/commits/{sha}", get),
    Route("GET", "/projects/{project}/repository/commits/{sha}/refs", refs),
    Route("GET", "/projects/{project}/repository/commits/{sha}/diff", diff),
    Route("GET", "/projects/{project}/repository/compare", compare),
    Route("GET", "/projects/{project}/repository/merge_base", merge_base),
)
