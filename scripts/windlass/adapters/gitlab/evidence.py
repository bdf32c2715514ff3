"""What GitLab knows of merge requests and tags that a gate asks: who approved, pushed, holds which membership.

Approvals are replayed from system notes, which nobody can write, and with a private token GitLab's own list of
approvals must name the same person.
"""

import re
from contextlib import suppress
from datetime import datetime
from typing import Any

from windlass.adapters.gitlab.connection import Connection
from windlass.spec.errors import ServiceError
from windlass.spec.evidence import Event, EventKind, MergeRequest, Tag
from windlass.spec.moment import read_timestamp

_APPROVED = "approved this merge request"
_WITHDRAWN = "unapproved this merge request"
_PUSHED = re.compile(r"(added \d+ (new )?commits?|changed source branch|force[ -]pushed|reset approvals)\b.*", re.S)
_RETARGETED = re.compile(r"(changed target branch|deleted the `.*` branch\. This merge request now targets)\b.*", re.S)
_PAGE = 100


class Reviews:
    """The merge requests, tags and members of one project, with the token at hand."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._project = connection.project
        self._seen: dict[int, MergeRequest] = {}

    @property
    def may_ask_all(self) -> bool:
        """Whether approvals, members and groups can be asked: a job token may not."""
        return not self._connection.is_job

    def of_commit(self, commit: str, branch: str) -> list[int]:
        """The merge requests into `branch` that were merged with the commit, by their numbers.

        Where one of them became this very commit (by a merge or a squash), it is that one alone.
        """
        what = f"the merge requests of commit {commit[:12]}"
        with self._connection.understood(what):
            found = self._list(what, f"/repository/commits/{commit}/merge_requests")
            merged = [one for one in found if one["state"] == "merged" and one["target_branch"] == branch]
            exact = [one for one in merged if commit in (one.get("merge_commit_sha"), one.get("squash_commit_sha"))]
            chosen = exact or merged
            for one in chosen:
                self._seen.setdefault(int(one["iid"]), self._read(one))
            return sorted({int(one["iid"]) for one in chosen})

    def merge_request(self, iid: int) -> MergeRequest:
        """The merge request with all that happened to it; `paths` are for the caller to fill in."""
        known = self._seen[iid]
        approved = self._approved_by(iid) if self.may_ask_all else None
        return known.model_copy(
            update={"events": self.events(iid), "approved_by": approved, "newest_version": self._newest_version(iid)}
        )

    def events(self, iid: int) -> list[Event]:
        """The system notes that say so, in the order of their ids; what people wrote counts nothing."""
        what = f"the notes of !{iid}"
        with self._connection.understood(what):
            notes = self._all_notes(what, iid)
            found = []
            for note in sorted(notes, key=lambda one: int(one["id"])):
                kind = _kind(str(note.get("body") or "")) if note["system"] is True else None
                if kind:
                    found.append(
                        Event(
                            kind=kind,
                            actor=str(note["author"]["username"]),
                            note=int(note["id"]),
                            at=str(note["created_at"]),
                            active=note["author"].get("state", "active") == "active",
                        )
                    )
            return found

    def proposed(self, iid: int) -> tuple[MergeRequest, str, str]:
        """A merge request that need not be merged, as `merge_request` gives it; its state and its target branch."""
        what = f"the merge request !{iid}"
        with self._connection.understood(what):
            found = self._connection.get(what, f"/projects/{self._id}/merge_requests/{iid}")
            self._seen[iid] = self._read(found)
            return self.merge_request(iid), str(found["state"]), str(found["target_branch"])

    def members(self) -> list[str] | None:
        """The active members of the project, those of its groups too; None where the token may not ask."""
        return self._members("the project's members", f"/projects/{self._id}/members/all") if self.may_ask_all else None

    def group(self, path: str) -> list[str] | None:
        """The active members of a group; None where the token may not ask."""
        quoted = path.replace("/", "%2F")
        return self._members(f"the members of {path}", f"/groups/{quoted}/members/all") if self.may_ask_all else None

    def branch_is_protected(self, branch: str, project: str | None = None) -> bool | None:
        """Whether GitLab protects the branch, of another `project` too; None where the token is not told."""
        where = project.replace("/", "%2F") if project else self._id
        return self._is_protected(f"the branch {branch}", f"/projects/{where}/repository/branches", branch)

    def number_of(self, project: str) -> int | None:
        """GitLab's number of the project at a path, which stays when it moves; None where the token is not told."""
        what = f"the number of {project}"
        if not self.may_ask_all:
            return None
        with self._connection.understood(what):
            try:
                return int(self._connection.get(what, f"/projects/{project.replace('/', '%2F')}")["id"])
            except ServiceError:
                return None

    def protects_tag(self, name: str) -> bool | None:
        """Whether GitLab protects tags of that name, maybe by a wildcard; None where the token is not told."""
        what = "the protected tags"
        if self.may_ask_all:
            with self._connection.understood(what), suppress(ServiceError):
                return any(_fits(str(one["name"]), name) for one in self._list(what, "/protected_tags"))
        return self._is_protected(f"the tag {name}", f"/projects/{self._id}/repository/tags", name)

    def _is_protected(self, what: str, path: str, name: str) -> bool | None:
        """What a list of branches or tags says of one: a job token may ask for lists only."""
        with self._connection.understood(what):
            try:
                found = self._everything(what, path, search=f"^{name}")
            except ServiceError:
                return None
            told = [one["protected"] for one in found if one["name"] == name and "protected" in one]
            return told[0] is True if told else None

    def pusher_of_tag(self, tag: Tag) -> str | None:
        """Who pushed the tag: the user of the first pipeline of exactly this tag and commit; None where not known."""
        if not self.may_ask_all:
            return None
        what = f"the pipelines of tag {tag.name}"
        with self._connection.understood(what):
            found = self._list(what, "/pipelines", ref=tag.name, sha=tag.commit, order_by="id", sort="asc")
            pushed = [one for one in found if one.get("source") in ("push", "api", "web", None)]
            for one in pushed:
                pipeline = self._connection.get(what, f"/projects/{self._id}/pipelines/{int(one['id'])}")
                if pipeline.get("tag") is False:  # of a branch of the same name
                    continue
                user = pipeline.get("user") or {}
                return str(user["username"]) if user.get("username") else None
            return None

    @property
    def _id(self) -> str:
        return str(self._project.get_id()).replace("/", "%2F")

    def _read(self, one: dict[str, Any]) -> MergeRequest:
        return MergeRequest(
            iid=int(one["iid"]),
            title=str(one.get("title") or "")[:200],
            url=str(one["web_url"]) if one.get("web_url") else None,
            author=str(one["author"]["username"]),
            head=_sha(one, "sha"),
            merge_commit=_sha(one, "merge_commit_sha"),
            squash_commit=_sha(one, "squash_commit_sha"),
        )

    def _all_notes(self, what: str, iid: int) -> list[dict[str, Any]]:
        """Every note; more than one page is read twice, for whoever deletes a note meanwhile moves the others."""
        path, order = f"/merge_requests/{iid}/notes", {"sort": "asc", "order_by": "created_at"}
        notes = self._list(what, path, **order)
        if len(notes) >= _PAGE:
            notes += self._list(what, path, **order)
        return list({int(one["id"]): one for one in notes}.values())

    def _approved_by(self, iid: int) -> list[str]:
        what = f"the approvals of !{iid}"
        with self._connection.understood(what):
            found = self._connection.get(what, f"/projects/{self._id}/merge_requests/{iid}/approvals")
            users = [entry["user"] for entry in found["approved_by"]]
            return sorted(str(user["username"]) for user in users if user.get("state", "active") == "active")

    def _newest_version(self, iid: int) -> str | None:
        """When the commits of the merge request changed last; None where this token is not told."""
        what = f"the versions of !{iid}"
        with self._connection.understood(what):
            try:
                found = self._list(what, f"/merge_requests/{iid}/versions")
            except ServiceError:
                return None
            times = [str(one["created_at"]) for one in found]
            return max(times, key=_moment, default=None)

    def _members(self, what: str, path: str) -> list[str]:
        with self._connection.understood(what):
            found = self._everything(what, path)
            return sorted({str(one["username"]) for one in found if one.get("state", "active") == "active"})

    def _list(self, what: str, path: str, **query: str | None) -> list[dict[str, Any]]:
        return self._everything(what, f"/projects/{self._id}{path}", **query)

    def _everything(self, what: str, path: str, **query: str | None) -> list[dict[str, Any]]:
        """All pages of a list."""
        wanted = {name: value for name, value in query.items() if value is not None}
        answer = self._connection.ask(
            what,
            lambda: self._connection.client.http_list(
                path, query_data=wanted, get_all=True, per_page=_PAGE, obey_rate_limit=False
            ),
        )
        if not isinstance(answer, list) or not all(isinstance(one, dict) for one in answer):
            raise self._connection.not_understood(what)
        return answer


def _kind(body: str) -> EventKind | None:
    text = body.strip()
    if text == _APPROVED:
        return "approval"
    if text == _WITHDRAWN:
        return "withdrawal"
    if _RETARGETED.fullmatch(text):
        return "target"
    return "push" if _PUSHED.fullmatch(text) else None


def _sha(one: dict[str, Any], key: str) -> str | None:
    return str(one[key]) if one.get(key) else None


def _fits(pattern: str, name: str) -> bool:
    """Whether a protected tag's name, in which `*` stands for anything, fits."""
    return re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), name) is not None


def _moment(text: str) -> datetime:
    moment = read_timestamp(text)
    if moment is None:
        raise ValueError(text)
    return moment
