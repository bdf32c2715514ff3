"""Gathers evidence for a gate: asks git and GitLab through two ports, and leaves the judging to others."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from windlass.delivery.gate.policy import Policy
from windlass.delivery.gate.question import Question
from windlass.spec.errors import DeliveryError, TransientError
from windlass.spec.evidence import Commit, Evidence, MergeRequest, Person, Proposal, Tag
from windlass.spec.roles import names


class Commits(Protocol):
    """The project's repository, as the server has it now."""

    def commit_of(self, name: str) -> str | None:
        """The commit that a name stands for, or None."""

    def contains(self, branch: str, commit: str) -> bool:
        """Whether the branch has the commit."""

    def brought(self, live: str | None, commit: str) -> list[Commit]:
        """The commits of the branch's own line that `commit` has and `live` has not."""

    def beside(self, live: str, commit: Commit) -> list[Commit]:
        """What a merge brought along the lines of its other parents, as far as `live` has it not."""

    def by_hand(self, commit: Commit) -> list[str] | None:
        """The paths that a merge has otherwise than git makes them of its parents; None where that cannot be told."""

    def changed_paths(self, sha: str, first: str | None = None) -> list[str]:
        """The paths that the commits of one line from `first` to `sha`, or `sha` alone, change together."""

    def proposed_paths(self, branch: str, head: str) -> list[str]:
        """The paths that a merge of `head` into the branch would change."""

    def is_ahead(self, branch: str, head: str) -> bool:
        """Whether `head` has all that the branch has: it could become the branch as it is."""


class Reviews(Protocol):
    """What GitLab knows of the project's merge requests, tags and members; None is what the token may not ask."""

    def of_commit(self, commit: str, branch: str) -> list[int]:
        """The numbers of the merge requests that brought the commit to the branch."""

    def merge_request(self, iid: int) -> MergeRequest:
        """One of these, without its paths."""

    def proposed(self, iid: int) -> tuple[MergeRequest, str, str]:
        """A merge request that need not be merged, without its paths; its state, and the branch it goes into."""

    def members(self) -> list[str] | None:
        """The members of the project."""

    def group(self, path: str) -> list[str] | None:
        """The members of a group."""

    def branch_is_protected(self, branch: str, project: str | None = None) -> bool | None:
        """Whether the branch is protected."""

    def protects_tag(self, name: str) -> bool | None:
        """Whether tags of that name are protected."""

    def pusher_of_tag(self, tag: Tag) -> str | None:
        """Whose push began the tag's first pipeline."""


@dataclass(frozen=True)
class Here:
    """Where and when the question is asked: `person` runs the command; `ref_is_protected` is a word of the job only.

    `moved` is why the policy may be another one's than before.
    """

    server: str
    path: str
    branch: str
    head: str
    at: str
    person: Person | None = None
    ref_is_protected: bool | None = None
    differs: tuple[str, ...] = ()
    moved: str | None = None


def gather(question: Question, policy: Policy, here: Here, commits: Commits, reviews: Reviews) -> Evidence:
    """All that the policy asks for about the release."""
    is_merged = commits.contains(here.branch, question.commit)
    live_is_known = question.live is None or commits.contains(here.branch, question.live)
    brought: list[Commit] = []
    if is_merged and live_is_known:
        brought = commits.brought(question.live, question.commit)
    brought, merge_requests = _merge_requests(brought, question.live, here.branch, commits, reviews)
    tag = _tag(question, here, commits, reviews) if policy.gate.tag else None
    about = {event.actor for one in merge_requests for event in one.events}
    about |= {one.person for one in question.overrides} | ({tag.pusher} if tag and tag.pusher else set())
    return Evidence(
        environment=question.environment,
        project=question.project,
        release=question.release,
        commit=question.commit,
        live=question.live,
        live_is_known=live_is_known,
        at=here.at,
        server=here.server,
        path=here.path,
        default_branch=here.branch,
        head=here.head,
        is_merged=is_merged,
        branch_protected=reviews.branch_is_protected(here.branch),
        brought=brought,
        merge_requests=merge_requests,
        members=_among(about, reviews.members()),
        groups={group: _among(about, reviews.group(group)) for group in policy.groups()},
        tag=tag,
        verified=question.verified,
        critical=list(question.critical),
        frozen=question.frozen,
        overrides=list(question.overrides),
        person=here.person.username if here.person else None,
        differs=list(here.differs),
        origin=question.origin,
        moved=here.moved,
    )


def gather_proposal(
    iid: int,
    project: str,
    critical: Iterable[str],
    environment: str,
    policy: Policy,
    here: Here,
    commits: Commits,
    reviews: Reviews,
) -> Proposal:
    """What the policy asks for about an open merge request; the repository has fetched `here.branch` and its head."""
    one, state, target = reviews.proposed(iid)
    if state not in ("opened", "locked"):
        raise DeliveryError(f"!{iid} of {here.path} is {state}; ask about the release of its commit with --commit")
    fetched = commits.commit_of(request_ref(iid))
    if fetched is None or fetched != one.head:
        raise TransientError(f"!{iid} of {here.path} is being pushed to; try again in a moment")
    is_ahead = commits.is_ahead(here.branch, fetched)
    if target == here.branch:
        paths = set(commits.proposed_paths(here.branch, fetched))
        if is_ahead:  # it may come by fast-forward: then its commits are what is asked about
            line = commits.brought(here.head, fetched)
            own = [commit for commit in line if len(commit.parents) < 2]
            paths |= _paths(line, commits) if own != line else set()
        one = one.model_copy(update={"paths": sorted(paths)})
    return Proposal(
        environment=environment,
        project=project,
        target=target,
        at=here.at,
        server=here.server,
        path=here.path,
        default_branch=here.branch,
        head=here.head,
        branch_protected=reviews.branch_is_protected(here.branch),
        merge_requests=[one],
        members=_among({event.actor for event in one.events}, reviews.members()),
        groups={
            group: _among({event.actor for event in one.events}, reviews.group(group)) for group in policy.groups()
        },
        critical=sorted(critical),
        is_ahead=is_ahead,
        person=here.person.username if here.person else None,
        differs=list(here.differs),
    )


def request_ref(iid: int) -> str:
    """Where GitLab keeps the last commit of a merge request."""
    return f"refs/merge-requests/{iid}/head"


def _among(about: Iterable[str], people: list[str] | None) -> list[str] | None:
    """Those of `people` whom the decision is about: the others are nobody's business who reads it."""
    wanted = names(about)
    return None if people is None else [one for one in people if one.casefold() in wanted]


def _merge_requests(
    brought: Iterable[Commit], live: str | None, branch: str, commits: Commits, reviews: Reviews
) -> tuple[list[Commit], list[MergeRequest]]:
    """Each commit with the numbers of its merge requests, and these with the paths that their commits change.

    What a merge request's own merge brought, that merge request showed. Any other merge (of the default branch into a
    branch that was merged by fast-forward) may hide what others brought: its other lines are followed as well.
    """
    named: list[Commit] = []
    known: dict[int, MergeRequest] = {}
    lines: dict[int, list[Commit]] = {}
    waiting = list(brought)
    seen = {commit.sha for commit in waiting}
    while waiting:
        commit = waiting.pop(0)
        iids = reviews.of_commit(commit.sha, branch)
        for iid in iids:
            known[iid] = known.get(iid) or reviews.merge_request(iid)
            lines.setdefault(iid, []).append(commit)
        is_own = any(known[iid].merge_commit == commit.sha for iid in iids)
        by_hand = (commits.by_hand(commit) or []) if is_own else []
        named.append(commit.model_copy(update={"merge_requests": iids, "by_hand": by_hand}))
        beside = commits.beside(live, commit) if live and not is_own else []
        waiting += [one for one in beside if one.sha not in seen]
        seen |= {one.sha for one in beside}
    found: list[MergeRequest] = []
    for iid, line in sorted(lines.items()):
        own = known[iid].merge_commit
        paths = _paths(line, commits, are_followed=live is not None, own=own)
        found.append(known[iid].model_copy(update={"paths": sorted(paths)}))
    return named, found


def _paths(line: Iterable[Commit], commits: Commits, *, are_followed: bool = True, own: str | None = None) -> set[str]:
    """The paths that a merge request changes by these commits, oldest first: what it took back itself does not count.

    Of a merge into its branch, whose other lines are followed, only what somebody made of it by hand is its own.
    """
    found: set[str] = set()
    first: Commit | None = None
    last: Commit | None = None
    for commit in line:
        is_foreign = are_followed and len(commit.parents) > 1 and commit.sha != own
        made = commits.by_hand(commit) if is_foreign else None
        if first and last and made is None and commit.parents[:1] == [last.sha]:
            last = commit
            continue
        if first and last:
            found.update(commits.changed_paths(last.sha, first.sha))
        first = last = commit if made is None else None
        found.update(made or ())
    return found | set(commits.changed_paths(last.sha, first.sha) if first and last else ())


def _tag(question: Question, here: Here, commits: Commits, reviews: Reviews) -> Tag | None:
    if question.tag is None:
        return None
    tag = Tag(name=question.tag, commit=commits.commit_of(f"refs/tags/{question.tag}"))
    if tag.commit is None:
        return tag
    person = here.person
    is_its_job = person is not None and person.is_tag and (person.ref, person.commit) == (tag.name, tag.commit)
    protected = reviews.protects_tag(tag.name)
    if protected is not None:
        tag = tag.model_copy(update={"protected": protected, "protected_says": "GitLab"})
    elif is_its_job and here.ref_is_protected is not None:
        tag = tag.model_copy(update={"protected": here.ref_is_protected, "protected_says": "the job's variable"})
    if pusher := reviews.pusher_of_tag(tag):
        return tag.model_copy(update={"pusher": pusher, "pusher_says": "the tag's first pipeline"})
    if is_its_job and person is not None:
        return tag.model_copy(update={"pusher": person.username, "pusher_says": "the job in the tag's pipeline"})
    return tag
