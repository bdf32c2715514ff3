"""What a push may do, in GitLab's words, and what follows from it: versions, notes, and merged merge requests."""

import re
from dataclasses import dataclass, field

from . import environments, notes, protections, versions
from .access import MAINTAINER
from .call import now
from .repository import Repository
from .store import Record, Store

NO_PUSH = "You are not allowed to push code to this project."
NO_UPLOAD = "You are not allowed to upload code."
DEFAULT_GONE = "The default branch of a project cannot be deleted."
NO_DEFAULT = "A default branch (e.g. main) does not yet exist for {}. Ask a project Owner or Maintainer to create one."
HEX_NAME = "You cannot create a branch with a 40-character hexadecimal branch name."
BRANCH_CREATED = "You are not allowed to create protected branches on this project."
BRANCH_PUSHED = "You are not allowed to push code to protected branches on this project."
BRANCH_DELETED = (
    "You are not allowed to delete protected branches from this project. "
    "Only a project maintainer or owner can delete a protected branch."
)
BRANCH_DELETED_BY_GIT = "You can only delete protected branches using the web interface."
TAG_IS_DEFAULT = "You cannot use default branch name to create a tag"
TAG_CREATED = "You are not allowed to create this tag as it is protected."
TAG_UPDATED = "Protected tags cannot be updated."
TAG_DELETED = (
    "You are not allowed to delete protected tags from this project. "
    "Only a project maintainer or owner can delete a protected tag."
)
TAG_DELETED_BY_GIT = "You can only delete protected tags using the web interface."
HIDDEN = "deny updating a hidden ref"


@dataclass(frozen=True)
class Update:
    """One reference of a push: what it was and what it shall be; zeros stand for nothing."""

    old: str
    new: str
    ref: str

    @property
    def is_creation(self) -> bool:
        return not self.old.strip("0")

    @property
    def is_deletion(self) -> bool:
        return not self.new.strip("0")


@dataclass
class Judgement:
    """Whether a push is taken: why not, and which branches it may only move forward."""

    refused: str = ""
    no_force: list[str] = field(default_factory=list)


def commands(head: bytes) -> list[Update] | None:
    """The updates that a push begins with; None while `head` does not hold them all."""
    found: list[Update] = []
    at = 0
    while at + 4 <= len(head):
        length = int(head[at : at + 4], 16)
        if length == 0:
            return found
        if at + length > len(head):
            return None
        words = head[at + 4 : at + length].partition(b"\0")[0].decode(errors="replace").strip().split(" ", 2)
        if len(words) == 3 and all(re.fullmatch("[0-9a-f]{40,64}", word) for word in words[:2]):
            found.append(Update(*words))
        at += max(length, 4)
    return None


def judge(store: Store, project: Record, level: int, updates: list[Update], is_empty: bool) -> Judgement:
    """Whether somebody of this level may push these updates; one that may not keeps all of them out."""
    judgement = Judgement()
    for update in updates:
        kind, _, name = update.ref.removeprefix("refs/").partition("/")
        if kind == "heads":
            found = protections.rules(store, project, protections.BRANCHES, name)
            judgement.refused = _branch(update, name, found, project, level, is_empty)
            if found and not any(rule["allow_force_push"] for rule in found):
                judgement.no_force.append(update.ref)
        elif kind == "tags":
            found = protections.rules(store, project, protections.TAGS, name)
            judgement.refused = _tag(update, name, found, project, level)
        else:
            judgement.refused = HIDDEN
        if judgement.refused:
            return judgement
    return judgement


def _branch(update: Update, name: str, rules: list[Record], project: Record, level: int, is_empty: bool) -> str:
    if update.is_deletion and name == project["default_branch"]:
        return DEFAULT_GONE
    if not update.is_deletion and re.match(r"[0-9a-f]{40}(-/|/|$)", name):
        return HEX_NAME
    if is_empty and name == project["default_branch"] and level < MAINTAINER:
        return NO_DEFAULT.format(project["path_with_namespace"])
    if not rules:
        return ""
    if update.is_deletion:
        return BRANCH_DELETED if level < MAINTAINER else BRANCH_DELETED_BY_GIT
    if protections.allows(rules, "push", level):
        return ""
    return BRANCH_CREATED if update.is_creation else BRANCH_PUSHED


def _tag(update: Update, name: str, rules: list[Record], project: Record, level: int) -> str:
    if update.is_creation and name == project["default_branch"]:
        return TAG_IS_DEFAULT
    if not rules:
        return ""
    if update.is_deletion:
        return TAG_DELETED if level < MAINTAINER else TAG_DELETED_BY_GIT
    if not update.is_creation:
        return TAG_UPDATED
    return "" if protections.allows(rules, "create", level) else TAG_CREATED


def follow(store: Store, repository: Repository, project: Record, user: Record, updates: list[Update]) -> None:
    """What GitLab does after these updates, which `user` has made."""
    with store.lock:
        for update in updates:
            if not update.ref.startswith("refs/heads/"):
                continue
            name = update.ref.removeprefix("refs/heads/")
            head = repository.references("heads").get(name)
            if head != (None if update.is_deletion else update.new):
                continue  # git did not take this one
            if name == project["default_branch"] and update.is_creation:
                protections.protect_default(store, project)
            if update.is_deletion:
                environments.branch_gone(store, project, name)
            for record in store.records(f"{project['id']}/merge_requests"):
                if record["state"] == "opened" and record["source_branch"] == name:
                    _source_moved(store, repository, project, user, record, update)
                elif record["state"] == "opened" and record["target_branch"] == name and not update.is_deletion:
                    _target_moved(store, repository, project, user, record, update)


def _source_moved(
    store: Store, repository: Repository, project: Record, user: Record, record: Record, update: Update
) -> None:
    collection = f"{project['id']}/merge_requests"
    if update.is_deletion:
        store.replace(collection, "iid", record | {"state": "closed", "closed_at": now(), "updated_at": now()})
        environments.merge_request_ended(store, project, record["iid"])
        return
    version = versions.add(store, repository, project, record, update.new)
    store.replace(collection, "iid", record | {"sha": update.new, "updated_at": now()})
    # as in GitLab, a push that only takes commits away is not noted: the new version alone tells of it
    between = [] if update.is_creation else repository.commits(update.new, update.old)
    if between:
        body = notes.added(repository, project, record, between, version, update.old)
        notes.add(store, project, record, user, body, is_system=True)
    if project.get("reset_approvals_on_push"):
        _reset(store, project, user, record)


def _reset(store: Store, project: Record, user: Record, record: Record) -> None:
    """Takes all approvals back, as Premium does when a project is set so."""
    collection = f"{project['id']}/approvals"
    gone = [a for a in store.records(collection) if a["merge_request_iid"] == record["iid"]]
    known = {person["id"]: person["username"] for person in store.records("users")}
    names = [f"@{known[approval['user_id']]}" for approval in gone]
    for approval in gone:
        store.remove(collection, "id", approval)
    if names:
        people = " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])}, and {names[-1]}"
        notes.add(store, project, record, user, f"reset approvals from {people} by pushing to the branch", True)


def _target_moved(
    store: Store, repository: Repository, project: Record, user: Record, record: Record, update: Update
) -> None:
    """A push to the target that holds the source's head merges the merge request, whoever pushed it."""
    head = repository.references("heads").get(record["source_branch"])
    if head is None or not repository.contains(head, update.new) or repository.contains(head, update.old):
        return
    path = repository.git("rev-list", "--ancestry-path", f"{head}..{update.new}", "--").split()
    merged = {"state": "merged", "sha": head, "merged_at": now(), "updated_at": now(), "merged_by_id": user["id"]}
    store.replace(
        f"{project['id']}/merge_requests",
        "iid",
        record | merged | {"merge_commit_sha": path[-1] if path else head},
    )
    environments.merge_request_ended(store, project, record["iid"])
