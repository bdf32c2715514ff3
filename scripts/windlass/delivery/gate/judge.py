"""Judges evidence by a policy: pure, so that the same documents give the same answer years later and offline.

Every check is made, whatever another one found. What people can override is: who approved, how long a release soaked,
freezes. What they cannot: where the commit and the tag are, and whose word the policy is.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from windlass.delivery.gate.approvals import Approvals, approvals_of, is_no_person
from windlass.delivery.gate.policy import Policy, holders, owning
from windlass.delivery.gate.tagged import check_tag
from windlass.delivery.gate.told import Finding, counted, overridden, passed, refused, unasked_groups
from windlass.spec.codeowners import OwnedPath, Section
from windlass.spec.decision import Check, PolicyTexts
from windlass.spec.duration import duration_text
from windlass.spec.errors import DeliveryError
from windlass.spec.evidence import Commit, Evidence, MergeRequest, Override, Proposal, Reviewed
from windlass.spec.gate import Consent
from windlass.spec.moment import read_timestamp, written
from windlass.spec.roles import names

_SKEW = timedelta(minutes=5)
"""How far the clocks of runners may be apart."""
_TOO_LATE = "had to approve it before the merge, and GitLab takes no approval after it: windlass override"
"""Of a release: only what was merged comes before a gate."""
_IN_TIME = "has to approve it"
REMEDY = "let no job set WINDLASS_PLATFORM or CI_SERVER_URL"


def judge(texts: PolicyTexts, policy: Policy, evidence: Evidence) -> list[Check]:
    """Each check with what was wanted and found; refused ones say in a sentence what to do."""
    now = read_timestamp(evidence.at)
    if now is None:
        raise DeliveryError(f"the evidence about {evidence.project} is of no time: at is {evidence.at[:40]!r}")
    found = [
        *_check_policy(texts, evidence),
        *_check_origin(texts, evidence),
        *_check_branch(evidence),
        *_check_commit(evidence),
        *_check_brought(evidence),
        *_check_merge_requests(policy, evidence),
        *check_tag(policy, evidence),
        *_check_soak(policy, evidence, now),
        *_check_freeze(policy, evidence, now),
    ]
    return _overridden(texts, policy, evidence, now, found)


def judge_proposal(texts: PolicyTexts, policy: Policy, proposal: Proposal) -> list[Check]:
    """What of it can be said of a merge request before it is merged: the same checks, in the same words."""
    found = [*_check_policy(texts, proposal), *_check_branch(proposal)]
    if proposal.target == proposal.default_branch:
        found += _check_merge_requests(policy, proposal)
    else:  # what it brings is asked for when it goes on from there
        into = f"into {proposal.default_branch}"
        found += [passed(f"!{one.iid}", into, f"into {proposal.target}: not asked") for one in proposal.merge_requests]
    return [one.check for one in found]


def _check_policy(texts: PolicyTexts, evidence: Reviewed) -> Iterator[Finding]:
    where = f"{texts.branch} of {texts.path}"
    if texts.protected is False:
        yield refused(
            "policy", "a protected branch", where,
            f"{where} is not protected, so anybody who may push could write this gate; protect it",
        )  # fmt: skip
    else:
        sure = "protected" if texts.protected else "protected or not: this token may not ask"
        yield passed("policy", "a protected branch", f"{where} at {texts.commit[:12]} ({sure})")
    if evidence.differs:
        keys = ", ".join(evidence.differs)
        yield refused(
            "environment", f"as on {texts.branch}", f"other {keys}",
            f"{keys} of {evidence.environment} here is not what {where} says; take environments/ from there",
        )  # fmt: skip


def _check_origin(texts: PolicyTexts, evidence: Evidence) -> Iterator[Finding]:
    """Who overrides is named by this very policy, so people cannot override that it is another one's."""
    before, now = evidence.origin, texts.origin
    if before is None:
        return
    if before.is_same(now):
        yield passed("origin", "the policy's of before", now.describe())
        return
    sentence = (
        f"the policy of {evidence.environment} comes from {now.describe()}, and came from {before.describe()} "
        "when it was last asked"
    )
    wanted, found = before.describe(), now.describe()
    if evidence.moved:
        yield overridden("origin", wanted, found, f"{sentence}; it moved: {evidence.moved}")
    else:
        yield refused("origin", wanted, found, f"{sentence}; {REMEDY}, or say why it moved with --policy-moved")


def _check_branch(evidence: Reviewed) -> Iterator[Finding]:
    if evidence.branch_protected is False:
        yield refused(
            "branch", "a protected branch", "not protected",
            f"{evidence.default_branch} of {evidence.path} is not protected, so a push could bring anything there "
            "unseen; protect it",
        )  # fmt: skip


def _check_commit(evidence: Evidence) -> Iterator[Finding]:
    branch, commit = f"{evidence.default_branch} of {evidence.path}", evidence.commit[:12]
    if evidence.is_merged:
        yield passed("commit", f"on {evidence.default_branch}", commit)
    else:
        yield refused(
            "commit", f"on {evidence.default_branch}", "not there",
            f"commit {commit} is not on {branch}; merge it, and release what was merged",
        )  # fmt: skip
    if not evidence.live_is_known:
        yield refused(
            "range", "what is live is known", f"{(evidence.live or '')[:12]} is not on {evidence.default_branch}",
            f"what {evidence.environment} has live (commit {(evidence.live or '')[:12]}) is not on {branch}, so nobody "
            "can say what this release brings; windlass override, or roll back to a release that is there",
            can_be_overridden=True,
        )  # fmt: skip


def _check_brought(evidence: Evidence) -> Iterator[Finding]:
    known = {one.iid: one for one in evidence.merge_requests}
    for commit in evidence.brought:
        name = f"commit {commit.sha[:12]}"
        if not commit.merge_requests:
            yield refused(
                name, "a merge request", "none",
                f"{name} ({commit.title!r}) came to {evidence.default_branch} without a merge request; "
                "revert it and bring it by one, or windlass override",
                can_be_overridden=True,
            )  # fmt: skip
        if commit.by_hand:
            paths = commit.by_hand[0] + (f" and {len(commit.by_hand) - 1} more" if len(commit.by_hand) > 1 else "")
            shown = " and ".join(f"!{iid}" for iid in commit.merge_requests)
            yield refused(
                name, "what git merges", paths,
                f"{name} changes {paths} otherwise than {shown} and {evidence.default_branch} did: somebody made this "
                "merge by hand; bring that by a merge request, or windlass override",
                can_be_overridden=True,
            )  # fmt: skip
        for iid in commit.merge_requests:
            if iid in known and not _is_what_was_shown(commit, known[iid]):
                yield refused(
                    name, f"what !{iid} showed", f"it brings {commit.parents[1][:12]}",
                    f"{name} merges {commit.parents[1][:12]}, and !{iid} showed {(known[iid].head or '')[:12]} last; "
                    "bring the rest by a merge request, or windlass override",
                    can_be_overridden=True,
                )  # fmt: skip


def _is_what_was_shown(commit: Commit, merge_request: MergeRequest) -> bool:
    """Whether a merge commit merges what was looked at: somebody could have made another one by hand."""
    if commit.sha != merge_request.merge_commit or len(commit.parents) < 2 or merge_request.head is None:
        return True
    return commit.parents[1:] in ([merge_request.head], [merge_request.squash_commit])


def _check_merge_requests(policy: Policy, evidence: Reviewed) -> Iterator[Finding]:
    consent = policy.gate.consent(is_critical=bool(evidence.critical))
    for one in evidence.merge_requests:
        approvals = approvals_of(one, evidence, committers=policy.gate.committers)
        yield from _check_consent(policy, evidence, consent, one, approvals)
        for section in policy.owners.sections:
            for rule, paths in section.asked(one.paths).items():
                yield from _check_owners(policy, evidence, one, approvals, section, rule, paths)


def _check_consent(
    policy: Policy, evidence: Reviewed, consent: Consent, one: MergeRequest, approvals: Approvals
) -> Iterator[Finding]:
    name, found = f"!{one.iid}", approvals.shown()
    critical = f" (critical: {', '.join(evidence.critical)})" if evidence.critical and policy.gate.critical else ""
    wanted = counted(consent.approvals, "approval") + critical
    if len(approvals.standing) >= consent.approvals:
        yield passed(name, wanted, found)
    else:
        yield refused(
            name, wanted, found,
            f"!{one.iid} by {one.author} needs {wanted} after its last push and has {len(approvals.standing)}: "
            f"{found}; somebody other than {one.author} {_remedy(evidence)}",
            can_be_overridden=True,
        )  # fmt: skip
    for role, count in consent.roles.items():
        people = holders(policy, role, evidence.groups)
        wanted = f"{counted(count, 'approval')} by {role}{critical}"
        if approvals.by(people.known) >= count:
            yield passed(name, wanted, found)
        else:
            yield refused(
                name, wanted, found,
                f"!{one.iid} by {one.author} needs {wanted} and has {approvals.by(people.known)}: {found}; "
                f"{people.shown} {_remedy(evidence)}{unasked_groups(people.unasked)}",
                can_be_overridden=True,
            )  # fmt: skip


def _remedy(evidence: Reviewed) -> str:
    """What people of whom an approval is missing can do about it."""
    return _IN_TIME if isinstance(evidence, Proposal) else _TOO_LATE


def _check_owners(
    policy: Policy,
    evidence: Reviewed,
    one: MergeRequest,
    approvals: Approvals,
    section: Section,
    rule: OwnedPath,
    paths: list[str],
) -> Iterator[Finding]:
    if rule.excluded or not rule.owners:
        return
    people = owning(policy, rule.owners, evidence.groups)
    where = f"[{section.name}] {rule.pattern}" if section.name else rule.pattern
    wanted, has = f"{counted(section.count, 'approval')} for {where}", approvals.by(people.known)
    if has >= section.count or section.optional:
        optional = " (optional)" if section.optional else ""
        yield passed(f"!{one.iid}", wanted + optional, approvals.shown())
        return
    shown = paths[0] + (f" and {len(paths) - 1} more" if len(paths) > 1 else "")
    yield refused(
        f"!{one.iid}", wanted, approvals.shown(),
        f"!{one.iid} by {one.author} changes {shown}, which needs {counted(section.count, 'approval')} of "
        f"{rule.owners.describe()} and has {has}; {people.shown} {_remedy(evidence)}{unasked_groups(people.unasked)}",
        can_be_overridden=True,
    )  # fmt: skip


def _check_soak(policy: Policy, evidence: Evidence, now: datetime) -> Iterator[Finding]:
    verified, wanted = evidence.verified, policy.gate.soak
    if verified is None:
        if wanted is not None:
            yield refused(
                "soak", duration_text(wanted), "nothing before it",
                f"no environment before {evidence.environment} says how a release did there; give that one an airflow, "
                "or take soak out of the gate",
            )  # fmt: skip
        return
    since = read_timestamp(verified.since) if verified.since else None
    where, release = verified.environment, evidence.release[:12]
    if verified.result != "pass" or since is None:
        yield refused(
            "verified", f"pass in {where}", verified.result or "not yet",
            f"release {release} was not verified in {where}; run windlass verify {where} while it is live there",
        )  # fmt: skip
        return
    if wanted is None:
        yield passed("verified", f"pass in {where}", f"pass since {written(since)}")
    elif now - since >= wanted:
        yield passed("soak", f"{duration_text(wanted)} in {where}", f"pass since {written(since)}")
    else:
        yield refused(
            "soak", f"{duration_text(wanted)} in {where}", f"pass since {written(since)}",
            f"release {release} has passed in {where} since {written(since)} only; it may come at "
            f"{written(since + wanted)}",
            can_be_overridden=True,
        )  # fmt: skip


def _check_freeze(policy: Policy, evidence: Evidence, now: datetime) -> Iterator[Finding]:
    name, any_window = evidence.environment, False
    for window in policy.gate.freeze:
        if end := window.until(now):
            any_window = True
            yield refused(
                "freeze", "no window now", window.reason,
                f"{name} is frozen until {written(end)}: {window.reason}; wait, or windlass override",
                can_be_overridden=True,
            )  # fmt: skip
    if policy.gate.freeze and not any_window:
        yield passed("freeze", "no window now", "none")
    if frozen := evidence.frozen:
        yield refused(
            "freeze", "not frozen", frozen.reason,
            f"{name} was frozen by {frozen.actor or 'unknown'} at {frozen.at[:16].replace('T', ' ')} UTC: "
            f"{frozen.reason}; windlass unfreeze {name}, or windlass override",
            can_be_overridden=True,
        )  # fmt: skip


def _overridden(
    texts: PolicyTexts, policy: Policy, evidence: Evidence, now: datetime, found: list[Finding]
) -> list[Check]:
    """The checks, those that enough people overrode as such."""
    asked = policy.gate.override
    if asked is None or not any(one.check.standing == "refused" for one in found):
        return [one.check for one in found]
    can = frozenset[str]().union(*(holders(policy, role, evidence.groups).known for role in asked.roles))
    inside = names(evidence.members) if evidence.members is not None else None
    people: list[Override] = []
    seen: set[str | int] = set()
    for one in sorted(evidence.overrides, key=lambda one: one.user is None):  # a number tells two names of one person
        at, name = read_timestamp(one.at), one.person.casefold()
        about = (one.environment, one.project, one.release)
        is_about = about == (evidence.environment, evidence.project, evidence.release)
        may = name in can and (inside is None or name in inside) and not is_no_person(name)
        may = may and (one.policy is None or one.policy.is_same(texts.origin))
        if is_about and at is not None and may and at - _SKEW <= now < at + asked.length:
            names_of_one: set[str | int] = {name} if one.user is None else {name, one.user}
            people += [] if names_of_one & seen else [one]
            seen |= names_of_one
    said = "; ".join(f"{one.person}: {one.reason}" for one in people) or "nobody"
    wanted = f"{counted(asked.people, 'person', 'people')} of {', '.join(asked.roles)}"
    is_enough = len(people) >= asked.people
    checks = [_as_overridden(one.check) if is_enough and one.can_be_overridden else one.check for one in found]
    if people:
        checks.append(passed("override", wanted, said + ("" if is_enough else " (not enough yet)")).check)
    return checks


def _as_overridden(check: Check) -> Check:
    """The check as overridden, where it was refused."""
    return check.model_copy(update={"standing": "overridden"}) if check.standing == "refused" else check
