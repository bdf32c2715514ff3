"""Files of a repository at a branch, tag or commit: listed, read, and committed through the API."""

import base64
import hashlib
import tempfile
from pathlib import Path

from . import commits, pushes
from .call import DEVELOPER, Call, Raw, Record, Refusal, Route
from .pushes import Update
from .repository import GitRefused


def tree(call: Call) -> list[Record]:
    """The entries of the folder `path`, of all below it with `recursive`."""
    repository = call.repository()
    commit = commits.resolve(call, str(call.parameters.get("ref") or call.project()["default_branch"]))
    path = str(call.parameters.get("path") or "").strip("/")
    options = ["-r", "-t"] if call.flag("recursive") else []
    try:
        listed = repository.git("ls-tree", "-z", *options, f"{commit}:{path}")
    except GitRefused as refused:
        raise Refusal(404, "404 invalid revision or path Not Found") from refused
    found = []
    for entry in filter(None, listed.split("\0")):
        about, _, name = entry.partition("\t")
        mode, kind, digest = about.split()
        full = f"{path}/{name}" if path else name
        found.append({"id": digest, "name": name.rpartition("/")[2], "type": kind, "path": full, "mode": mode})
    return found


def get(call: Call) -> Record:
    """One file with its content in base64; GitLab wants to be told of which commit."""
    call.required("ref")
    commit, content = _content(call)
    repository, path = call.repository(), call.path["file"]
    return {
        "file_name": path.rpartition("/")[2],
        "file_path": path,
        "size": len(content),
        "encoding": "base64",
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "ref": call.required("ref"),
        "blob_id": repository.git("rev-parse", f"{commit}:{path}"),
        "commit_id": commit,
        "last_commit_id": repository.git("rev-list", "-1", commit, "--", path),
        "execute_filemode": False,
        "content": base64.b64encode(content).decode(),
    }


def raw(call: Call) -> Raw:
    """One file as it is."""
    commit, content = _content(call)
    return Raw(content, {"X-Gitlab-Commit-Id": commit, "X-Gitlab-File-Path": call.path["file"]})


def create(call: Call) -> Record:
    """A new file in a commit of its own."""
    return _commit(call, must_exist=False)


def change(call: Call) -> Record:
    """A file with another content, in a commit of its own."""
    return _commit(call, must_exist=True)


def _content(call: Call) -> tuple[str, bytes]:
    commit = commits.resolve(call, str(call.parameters.get("ref") or call.project()["default_branch"]))
    try:
        return commit, call.repository().read("cat-file", "blob", f"{commit}:{call.path['file']}")
    except GitRefused as refused:
        raise Refusal(404, "404 File Not Found") from refused


def _commit(call: Call, must_exist: bool) -> Record:
    """Writes `content` to the file on `branch` (made from `start_branch` when it is new), as far as the caller may."""
    repository, branch, path = call.repository(), call.required("branch"), call.path["file"]
    heads = repository.references("heads")
    before = heads.get(branch)
    parent = before or heads.get(str(call.parameters.get("start_branch") or ""))
    exists = parent is not None and bool(repository.git("ls-tree", parent, "--", path))
    if exists != must_exist:
        raise Refusal(
            400, "A file with this name doesn't exist" if must_exist else "A file with this name already exists"
        )
    text = str(call.parameters.get("content") or "")
    content = base64.b64decode(text) if call.parameters.get("encoding") == "base64" else text.encode()
    author = {"name": call.user()["name"], "email": call.user()["email"]}
    with call.store.lock, tempfile.TemporaryDirectory(prefix="commit-") as folder:
        aside, index = Path(folder) / "content", {"GIT_INDEX_FILE": f"{folder}/index"}
        aside.write_bytes(content)
        blob = repository.git("hash-object", "-w", "--", str(aside))
        repository.git("read-tree", parent or "--empty", more=index)
        repository.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", more=index)
        written = repository.git("write-tree", more=index)
        parents = ["-p", parent] if parent else []
        message = call.required("commit_message")
        commit = repository.git("commit-tree", written, *parents, "-m", message, author=author)
        update = Update(before or "0" * 40, commit, f"refs/heads/{branch}")
        judgement = pushes.judge(call.store, call.project(), call.level(call.project()), [update], not heads)
        if judgement.refused:
            raise Refusal(403, judgement.refused)
        repository.git("update-ref", update.ref, commit, update.old)
        pushes.follow(call.store, repository, call.project(), call.user(), [update])
    return {"file_path": path, "branch": branch}


ROUTES = (
    Route("GET", "/projects/{project}/repository/tree", tree, keyset=True),
    Route("GET", "/projects/{project}/repository/files/{file}/raw", raw),
    Route("GET", "/projects/{project}/repository/files/{file}", get),
    Route("POST", "/projects/{project}/repository/files/{file}", create, DEVELOPER, 201),
    Route("PUT", "/projects/{project}/repository/files/{file}", change, DEVELOPER),
)
