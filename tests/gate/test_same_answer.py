"""What a merge request is told before the merge is what its release is told after it, whatever its history is."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.gate.conftest import git
from tests.gate.evidence import NOON, events, texts
from windlass.adapters.git_server import Access, ServerRepository
from windlass.delivery.gate.decide import decide
from windlass.delivery.gate.gather import Here, gather, gather_proposal, request_ref
from windlass.delivery.gate.outlook import Outlook, look_ahead
from windlass.delivery.gate.policy import read_policy
from windlass.delivery.gate.question import Question
from windlass.spec.decision import Decision
from windlass.spec.evidence import MergeRequest, Tag

pytestmark = pytest.mark.stack

OWNERS = "/a @bob\n/b @mia\n/c @dev\n"
PEOPLE = ("ann", "bob", "mia", "dev")
STEPS = ("main:a", "main:b", "main:c", "branch:a", "branch:b", "branch:c", "back:a", "back:b", "main<-", "branch<-")
"""A commit on either line, one that takes a path back to what it was first, and merges of one line into the other."""


@dataclass
class Asked:
    """GitLab, as far as one merge request !7 is asked about; `became` are the commits that brought it."""

    happened: tuple[str, ...]
    head: str
    merge_commit: str | None = None
    squash_commit: str | None = None
    became: set[str] = field(default_factory=set)

    def of_commit(self, commit: str, branch: str) -> list[int]:
        return [7] if commit in self.became else []

    def merge_request(self, iid: int) -> MergeRequest:
        return MergeRequest(
            iid=7, author="ann", head=self.head, merge_commit=self.merge_commit, squash_commit=self.squash_commit,
            events=events(*self.happened),
        )  # fmt: skip

    def proposed(self, iid: int) -> tuple[MergeRequest, str, str]:
        return self.merge_request(7), "opened", "main"

    def members(self) -> list[str] | None:
        return None

    def group(self, path: str) -> list[str] | None:
        return None

    def branch_is_protected(self, branch: str, project: str | None = None) -> bool | None:
        return True

    def protects_tag(self, name: str) -> bool | None:
        return None

    def pusher_of_tag(self, tag: Tag) -> str | None:
        return None


@dataclass
class Lines:
    """A repository with the default branch and the branch of !7, which both begin at the same commit."""

    folder: Path
    count: int = 0

    def begin(self) -> None:
        git(self.folder, "init", "-q", "-b", "main")
        for path in "abc":
            (self.folder / path).write_text("first\n")
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-q", "-m", "first")
        git(self.folder, "branch", "branch")

    def step(self, step: str) -> None:
        self.count += 1
        line, _, path = step.partition(":")
        if step.endswith("<-"):
            into, other = ("main", "branch") if step == "main<-" else ("branch", "main")
            git(self.folder, "checkout", "-q", into)
            git(self.folder, "merge", "-q", "--no-ff", "-X", "ours", "-m", f"{self.count}", other)
            return
        git(self.folder, "checkout", "-q", "branch" if line == "back" else line)
        (self.folder / path).write_text("first\n" if line == "back" else f"{self.count}\n")
        git(self.folder, "commit", "-q", "--allow-empty", "-a", "-m", f"{self.count} {step}")

    def at(self, name: str) -> str:
        return git(self.folder, "rev-parse", name)

    def can_be_merged(self) -> bool:
        """Whether the two have no conflict: GitLab merges no others."""
        command = ["git", "merge-tree", "--write-tree", "main", "branch"]
        return subprocess.run(command, cwd=self.folder, capture_output=True, check=False).returncode == 0

    def merged(self, way: str, asked: Asked) -> None:
        """Merges !7, as a GitLab does it whose projects are set to this way."""
        old = self.at("main")
        git(self.folder, "checkout", "-q", "main")
        if way == "fast-forward":
            git(self.folder, "merge", "-q", "--ff-only", "branch")
            asked.became = set(git(self.folder, "rev-list", f"{old}..main").split())
            return
        if way == "squash":
            git(self.folder, "merge", "-q", "--squash", "-X", "ours", "branch")
            git(self.folder, "commit", "-q", "--allow-empty", "-m", "all of it")
            asked.squash_commit = self.at("main")
        else:
            git(self.folder, "merge", "-q", "--no-ff", "-m", "Merge !7", "branch")
            asked.merge_commit = self.at("main")
        asked.became = {self.at("main")}


def ask_both(lines: Lines, way: str, happened: tuple[str, ...]) -> tuple[Outlook, Decision]:
    """What !7 is told right before the merge, and its release right after it."""
    policy_texts = texts("gate: {approvals: 1}\n", owners=OWNERS)
    policy = read_policy(policy_texts, "prod")[1]
    assert policy is not None
    repository = ServerRepository(Access("https://gitlab.example", "ocr/digits"), lines.folder / ".git")
    live, asked = lines.at("main"), Asked(happened, lines.at("branch"))
    git(lines.folder, "update-ref", request_ref(7), "branch")
    here = Here("https://gitlab.example", "ocr/digits", "main", live, NOON)
    proposal = gather_proposal(7, "digits", [], "prod", policy, here, repository, asked)
    outlook = look_ahead(policy_texts, policy, proposal)
    lines.merged(way, asked)
    question = Question("prod", "digits", "f" * 64, lines.at("main"), live=live)
    return outlook, decide(policy_texts, gather(question, policy, here, repository, asked))


def told(checks: object) -> set[tuple[str, str, str]]:
    """What was looked at, without the words that only one of the two can say."""
    return {(one.what, one.wanted, one.standing) for one in checks if one.what.startswith("!")}


@contextmanager
def history(steps: tuple[str, ...]) -> Iterator[Lines]:
    with tempfile.TemporaryDirectory(prefix="windlass-test-") as folder:
        lines = Lines(Path(folder))
        lines.begin()
        for step in steps:
            lines.step(step)
        yield lines


@pytest.mark.parametrize("way", ["merge", "fast-forward"])
@pytest.mark.parametrize(
    ("steps", "paths"),
    [
        (("branch:a",), ["a"]),
        (("branch:a", "back:a", "branch:b"), ["b"]),  # what it took back itself it does not bring
        (("main:c", "branch:a", "branch<-"), ["a"]),  # what others brought meanwhile is asked of them
        (("main:c", "branch:a", "branch<-", "branch:b"), ["a", "b"]),
        (("branch:a", "main<-", "branch<-", "back:a"), ["a"]),  # a merged before, and taken back from there
        (("branch:a", "main<-", "main:c", "branch<-", "back:a", "branch:b"), ["a", "b"]),
    ],
)
def test_the_paths_that_are_asked_for_are_the_same(steps: tuple[str, ...], paths: list[str], way: str) -> None:
    with history(steps) as lines:
        before, after = ask_both(lines, way, ("approval bob",))
        assert [one.paths for one in before.proposal.merge_requests] == [paths]
        assert [one.paths for one in after.evidence.merge_requests if one.iid == 7] == [paths]
        assert told(before.checks) == told(after.checks)


def test_two_lines_that_merged_each_other_hide_no_path() -> None:
    """There are two merge bases then, and one of them knows nothing of what the branch takes back."""
    steps = ("branch:a", "main:c")
    with history(steps) as lines:
        one, other = lines.at("branch"), lines.at("main")
        git(lines.folder, "checkout", "-q", "main")
        git(lines.folder, "merge", "-q", "--no-ff", "-m", "to main", one)
        git(lines.folder, "checkout", "-q", "branch")
        git(lines.folder, "merge", "-q", "--no-ff", "-m", "to branch", other)
        lines.step("back:a")
        before, after = ask_both(lines, "merge", ("approval mia",))
        assert after.evidence.merge_requests[0].paths == ["a"]
        assert before.proposal.merge_requests[0].paths == ["a"]
        assert told(before.checks) == told(after.checks)


@pytest.mark.parametrize("way", ["merge", "fast-forward"])
def test_what_somebody_put_into_a_merge_by_hand_is_asked_for(way: str) -> None:
    with history(("main:c", "branch:a", "branch<-")) as lines:
        (lines.folder / "b").write_text("by hand\n")
        git(lines.folder, "commit", "-q", "--amend", "-a", "--no-edit")
        before, after = ask_both(lines, way, ("approval bob",))
        assert [one.paths for one in before.proposal.merge_requests] == [["a", "b"]]
        assert [one.paths for one in after.evidence.merge_requests if one.iid == 7] == [["a", "b"]]
        assert not before.passed
        assert told(before.checks) == told(after.checks)


def test_a_change_that_comes_by_a_side_line_of_the_branch_is_asked_for() -> None:
    with history(("branch:a",)) as lines:
        git(lines.folder, "checkout", "-q", "-b", "side")
        (lines.folder / "b").write_text("side\n")
        git(lines.folder, "commit", "-q", "-a", "-m", "side")
        git(lines.folder, "checkout", "-q", "branch")
        git(lines.folder, "merge", "-q", "--no-ff", "-m", "side", "side")
        before, after = ask_both(lines, "fast-forward", ("approval bob",))
        assert [one.paths for one in before.proposal.merge_requests] == [["a", "b"]]
        assert [one.paths for one in after.evidence.merge_requests if one.iid == 7] == [["a", "b"]]
        assert told(before.checks) == told(after.checks)


def test_with_a_conflict_it_is_what_the_branch_changes_since_it_left() -> None:
    with history(("main:a", "branch:a", "branch:b", "main:c")) as lines:
        assert not lines.can_be_merged()
        repository = ServerRepository(Access("https://gitlab.example", "ocr/digits"), lines.folder / ".git")
        assert repository.proposed_paths("main", lines.at("branch")) == ["a", "b"]


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    steps=st.lists(st.sampled_from(STEPS), min_size=1, max_size=7).map(tuple),
    way=st.sampled_from(["merge", "squash", "fast-forward"]),
    happened=st.lists(
        st.tuples(st.sampled_from(["approval", "withdrawal", "push"]), st.sampled_from(PEOPLE)).map(" ".join),
        min_size=1,
        max_size=6,
    ).map(tuple),
)
def test_random_histories_get_the_same_answer_before_and_after(
    steps: tuple[str, ...], way: str, happened: tuple[str, ...]
) -> None:
    with history(steps) as lines:
        if way == "fast-forward":
            lines.step("branch<-")  # as GitLab asks for
        assume(lines.can_be_merged())
        assume(lines.at("branch") != git(lines.folder, "merge-base", "main", "branch"))
        before, after = ask_both(lines, way, happened)
        shown, asked = (set(one.paths) for one in (before.proposal.merge_requests[0], *_the_one(after)))
        assert shown >= asked, "nothing is asked for that was not told"
        if shown == asked:
            assert told(before.checks) == told(after.checks)
            assert before.passed is not any(one.startswith("!7") for one in after.refusals)


def _the_one(after: Decision) -> list[MergeRequest]:
    return [one for one in after.evidence.merge_requests if one.iid == 7] or [MergeRequest(iid=7, author="ann")]
