"""What a gate is judged by: what git and GitLab said of the commits that a release brings, at one moment."""

from typing import Literal

from windlass.spec.names import Word
from windlass.spec.release import Digest
from windlass.spec.schema import Noun

EventKind = Literal["approval", "withdrawal", "push", "target"]
Sureness = Literal["GitLab", "the job's variable", "nobody"]


class Event(Noun):
    """One thing that happened to a merge request, in the order in which GitLab noted it (`note`, its id)."""

    kind: EventKind
    actor: str
    note: int
    at: str
    active: bool = True
    """Whether the actor's account is active when it is asked; one that is blocked approves nothing."""


class MergeRequest(Noun):
    """A merge request that brings commits, who did what to it, and the paths that it changes on the default branch.

    `approved_by` is what GitLab's approvals say, None where the token may not ask. `newest_version` is when its commits
    changed last, None where that is not told. `head` is its last commit; `merge_commit` or `squash_commit` is what it
    became.
    """

    iid: int
    title: str = ""
    url: str | None = None
    author: str
    head: str | None = None
    merge_commit: str | None = None
    squash_commit: str | None = None
    events: list[Event] = []
    approved_by: list[str] | None = None
    newest_version: str | None = None
    paths: list[str] = []


class Commit(Noun):
    """A commit of the default branch, with the merge requests that brought it there; `parents` in git's order.

    `by_hand` are the paths that a merge request's merge commit has otherwise than git makes them of its parents.
    """

    sha: str
    title: str = ""
    parents: list[str] = []
    merge_requests: list[int] = []
    by_hand: list[str] = []


class Tag(Noun):
    """The release's tag as the server has it now; `commit` is None where it has none of that name.

    `pusher` is whose push began the tag's pipeline, by the word of `pusher_says`.
    """

    name: str
    commit: str | None = None
    protected: bool | None = None
    protected_says: Sureness = "nobody"
    pusher: str | None = None
    pusher_says: str = "nobody"


class Verified(Noun):
    """What the environment before says: the result that counts, and since when the release has passed there."""

    environment: Word
    result: str | None = None
    since: str | None = None


class PolicyOrigin(Noun):
    """Who says what a gate asks for: a repository, `path`, of a server; `project` is its number there, where told."""

    server: str
    path: str
    project: int | None = None

    def is_same(self, other: "PolicyOrigin") -> bool:
        """Whether both are one repository: by its number, which stays when it moves, else by its path."""
        if self.server.rstrip("/").casefold() != other.server.rstrip("/").casefold():
            return False
        if self.project is not None and other.project is not None:
            return self.project == other.project
        return self.path.casefold() == other.path.casefold()

    def describe(self) -> str:
        """The repository and its server, for a person."""
        return f"{self.path}{f' ({self.project})' if self.project is not None else ''} on {self.server}"


class Frozen(Noun):
    """The switch of the environment, while it is pulled."""

    reason: str
    actor: str | None = None
    at: str

    def describe(self) -> str:
        """Since when, by whom and why, for a person."""
        return f"frozen since {self.at[:16].replace('T', ' ')} by {self.actor or 'unknown'}: {self.reason}"


class Person(Noun):
    """Who runs a command, by GitLab's word; where it is a job, of which project, pipeline, commit, branch or tag.

    `user` is GitLab's number of the user, which stays when the name changes.
    """

    username: str
    user: int | None = None
    server: str
    project: int | None = None
    path: str | None = None
    pipeline: int | None = None
    commit: str | None = None
    ref: str | None = None
    is_tag: bool = False
    job_url: str | None = None


class Override(Noun):
    """One person's word that a release may pass what can be overridden; `user` is GitLab's number of the person.

    `policy` is who said then that the person may; None in a record of an earlier windlass.
    """

    environment: Word
    project: Word
    release: Digest
    person: str
    user: int | None = None
    reason: str
    job_url: str | None = None
    at: str
    policy: PolicyOrigin | None = None


class Reviewed(Noun):
    """What is known of merge requests. `groups` are the members of each group that the policy names.

    `members` are those of the project; both are None where the token may not ask, and name only people whom it is
    about. `differs` are the keys of the environment that are different here from what the policy's branch says.
    `person` asked for it.
    """

    environment: Word
    project: Word
    at: str
    server: str
    path: str
    default_branch: str
    head: str
    branch_protected: bool | None = None
    merge_requests: list[MergeRequest] = []
    members: list[str] | None = None
    groups: dict[str, list[str] | None] = {}
    critical: list[str] = []
    person: str | None = None
    differs: list[str] = []


class Proposal(Reviewed):
    """What is known of one merge request that is open, and of the branch `target` that it would go into.

    `is_ahead` says whether it has all that the default branch has.
    """

    target: str
    is_ahead: bool = True


class Evidence(Reviewed):
    """What is known of a release, and of the merge requests that brought it.

    `brought` are the commits that `live` has not; `live_is_known` is False where the default branch does not have what
    is live. `origin` is whose policy the last deployment was judged by, None where none was; `moved` is the reason that
    somebody gave for another one now.
    """

    release: Digest
    commit: str
    live: str | None = None
    live_is_known: bool = True
    is_merged: bool
    brought: list[Commit] = []
    tag: Tag | None = None
    verified: Verified | None = None
    frozen: Frozen | None = None
    overrides: list[Override] = []
    origin: PolicyOrigin | None = None
    moved: str | None = None
