"""Judges the tag of a release: it is on this very commit, protected, and somebody of the right role pushed it."""

from collections.abc import Iterator

from windlass.delivery.gate.policy import Policy, holders
from windlass.delivery.gate.told import Finding, passed, refused, unasked_groups
from windlass.spec.evidence import Evidence, Tag
from windlass.spec.gate import TagRule


def check_tag(policy: Policy, evidence: Evidence) -> Iterator[Finding]:
    """What the gate says of the tag; nothing where it asks for none. None of it can be overridden."""
    rule, tag = policy.gate.tag, evidence.tag
    if rule is None:
        return
    if tag is None:
        yield refused(
            "tag", "a tag", "none",
            f"{evidence.environment} takes releases by a tag only; tag commit {evidence.commit[:12]} and promote it "
            "in the tag's pipeline",
        )  # fmt: skip
        return
    wanted = f"on {evidence.commit[:12]}"
    if tag.commit is None:
        yield refused(
            "tag", wanted, f"there is no {tag.name}",
            f"{evidence.path} has no tag {tag.name}; push it, or promote another one",
        )  # fmt: skip
        return
    if tag.commit == evidence.commit:
        yield passed("tag", wanted, tag.name)
    else:
        yield refused(
            "tag", wanted, f"{tag.name} is on {tag.commit[:12]}",
            f"tag {tag.name} points to commit {tag.commit[:12]} now, and the release was built from "
            f"{evidence.commit[:12]}; promote what the tag points to, or push a new tag",
        )  # fmt: skip
    yield from _check_protection(rule, evidence, tag)
    if rule.roles:
        yield from _check_pusher(policy, rule, evidence, tag)


def _check_protection(rule: TagRule, evidence: Evidence, tag: Tag) -> Iterator[Finding]:
    if not rule.protected:
        return
    if tag.protected:
        yield passed("tag", "protected", f"protected, says {tag.protected_says}")
        return
    known = "it is not" if tag.protected is False else "nobody says so"
    yield refused(
        "tag", "protected", known,
        f"tag {tag.name} must be protected and {known}; protect it in {evidence.path} below Settings, Repository, "
        "Protected tags" + ("" if tag.protected is False else ", and promote in the tag's pipeline"),
    )  # fmt: skip


def _check_pusher(policy: Policy, rule: TagRule, evidence: Evidence, tag: Tag) -> Iterator[Finding]:
    people = [holders(policy, role, evidence.groups) for role in rule.roles]
    can, shown = frozenset[str]().union(*(one.known for one in people)), " or ".join(one.shown for one in people)
    unasked = [group for one in people for group in one.unasked]
    wanted = f"pushed by {' or '.join(rule.roles)}"
    if tag.pusher is None:
        yield refused(
            "tag", wanted, "nobody knows",
            f"who pushed tag {tag.name} is not known here; promote it in the tag's own pipeline, or set "
            "WINDLASS_GITLAB_TOKEN",
        )  # fmt: skip
    elif tag.pusher.casefold() in can:
        yield passed("tag", wanted, f"{tag.pusher}, says {tag.pusher_says}")
    else:
        yield refused(
            "tag", wanted, f"{tag.pusher}, says {tag.pusher_says}",
            f"tag {tag.name} was pushed by {tag.pusher}, who is no {' or '.join(rule.roles)}; remove it and let "
            f"{shown} push it{unasked_groups(unasked)}",
        )  # fmt: skip
