"""Histories that hide commits from who follows the default branch alone: what they hide is asked for all the same."""

import pytest

from tests.gate.conftest import Scene
from tests.gate.server import Review

pytestmark = pytest.mark.stack


def said(scene: Scene) -> str:
    return "\n".join(scene.ask("v1").refusals)


def fast_forward(scene: Scene, iid: int, author: str, commits: list[str], *approvers: str) -> Review:
    """A merge request that became the default branch as it was, without a merge commit."""
    review = Review(iid, author, "", commits[-1], versions=["2026-11-22T10:00:00.000Z"], commits=commits)
    for approver in approvers:
        scene.gitlab.approve(review, approver)
    scene.gitlab.reviews.append(review)
    return review


def merged_by_hand(scene: Scene, path: str, text: str) -> Review:
    """A merge request that bob approved, whose merge somebody made on a laptop, with `text` in `path`."""
    review = scene.merge("ann", "pipelines/a.yml", "bob")
    (scene.checkout / path).write_text(text)
    scene.git("add", "-A")
    scene.git("commit", "-q", "--amend", "--no-edit")
    review.commit = scene.head
    scene.push()
    return review


def test_what_a_merge_request_merged_into_its_own_branch_is_asked_for_too(scene: Scene) -> None:
    scene.git("branch", "feature")
    scene.merge("ann", "pipelines/a.yml")  # nobody approved it
    scene.git("checkout", "-q", "feature")
    (scene.checkout / "b.yml").write_text("b")
    first = scene.commit("b")
    scene.git("merge", "-q", "--no-ff", "-m", "Merge main into feature", "main")
    scene.git("checkout", "-q", "-B", "main")
    scene.push()
    fast_forward(scene, 2, "eve", [first, scene.head], "bob")
    scene.tag("v1")
    decision = scene.ask()
    assert [one.iid for one in decision.evidence.merge_requests] == [1, 2]
    assert "!1 by ann needs 1 approval after its last push and has 0: nobody" in "\n".join(decision.refusals)


def test_all_parents_of_an_octopus_are_followed(scene: Scene) -> None:
    for name in ("one", "two"):
        scene.git("checkout", "-q", "-b", name, scene.live or "")
        (scene.checkout / name).write_text(name)
        scene.commit(name)
    scene.git("checkout", "-q", "-b", "feature", scene.live or "")
    (scene.checkout / "b.yml").write_text("b")
    first = scene.commit("b")
    scene.git("merge", "-q", "--no-ff", "-m", "octopus", "one", "two")
    scene.git("checkout", "-q", "-B", "main")
    scene.push()
    fast_forward(scene, 1, "ann", [first, scene.head], "bob")
    scene.tag("v1")
    told = said(scene)
    assert "('one') came to main without a merge request" in told
    assert "('two') came to main without a merge request" in told


def test_the_commits_of_a_merge_request_are_its_own_affair(scene: Scene) -> None:
    scene.git("branch", "long", "main")
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.git("checkout", "-q", "long")
    scene.commit("first")
    scene.git("merge", "-q", "--no-ff", "-m", "Merge main into long", "main")
    head = scene.commit("second")
    scene.git("checkout", "-q", "main")
    scene.git("merge", "-q", "--no-ff", "-m", "Merge !2", "long")
    review = Review(2, "ann", scene.head, head)
    scene.gitlab.approve(review, "bob")
    scene.gitlab.reviews.append(review)
    scene.push()
    scene.tag("v1")
    decision = scene.ask()
    assert decision.refusals == ()
    assert [commit.merge_requests for commit in decision.evidence.brought] == [[1], [2]]


@pytest.mark.parametrize("path", ["pipelines/a.yml", "train.py"])
def test_a_merge_made_by_hand_that_holds_something_else_is_refused(scene: Scene, path: str) -> None:
    merged_by_hand(scene, path, "evil")
    scene.tag("v1")
    told = said(scene)
    assert f"commit {scene.head[:12]} changes {path} otherwise than !1 and main did" in told


def test_a_merge_that_drops_what_another_merge_request_brought_is_refused(scene: Scene) -> None:
    scene.git("checkout", "-q", "-b", "change-2", scene.live or "")
    (scene.checkout / "b.yml").write_text("b")
    head = scene.commit("b")
    scene.git("checkout", "-q", "main")
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.git("merge", "-q", "--no-ff", "--no-commit", "change-2")
    scene.git("rm", "-q", "-f", "pipelines/a.yml")
    scene.commit("Merge !2")
    review = Review(2, "ann", scene.head, head)
    scene.gitlab.approve(review, "bob")
    scene.gitlab.reviews.append(review)
    scene.push()
    scene.tag("v1")
    assert "changes pipelines/a.yml otherwise than !2 and main did" in said(scene)


def test_a_merge_of_two_changes_to_one_file_is_what_git_makes_of_it(scene: Scene) -> None:
    lines = [f"line {number}\n" for number in range(40)]
    (scene.checkout / "a.py").write_text("".join(lines))
    scene.live = scene.commit("lines")
    scene.push()
    scene.git("checkout", "-q", "-b", "change-1")
    (scene.checkout / "a.py").write_text("".join(["first\n", *lines[1:]]))
    head = scene.commit("first")
    scene.git("checkout", "-q", "main")
    scene.git("mv", "a.py", "b.py")
    (scene.checkout / "b.py").write_text("".join([*lines[:-1], "last\n"]))
    other = scene.commit("last")
    fast_forward(scene, 2, "ann", [other], "bob")
    scene.git("merge", "-q", "--no-ff", "-m", "Merge !1", "change-1")
    review = Review(1, "ann", scene.head, head)
    scene.gitlab.approve(review, "bob")
    scene.gitlab.reviews.append(review)
    scene.push()
    scene.tag("v1")
    assert said(scene) == ""


def test_a_history_of_its_own_is_asked_for_as_any_other_and_is_no_trouble_of_git(scene: Scene) -> None:
    scene.git("checkout", "-q", "--orphan", "other")
    (scene.checkout / "other.yml").write_text("other")
    head = scene.commit("a first commit once more")
    scene.git("checkout", "-q", "-f", "main")
    scene.git("merge", "-q", "--no-ff", "--allow-unrelated-histories", "-m", "Merge !1", "other")
    review = Review(1, "ann", scene.head, head, versions=["2026-11-22T10:00:00.000Z"])
    scene.gitlab.reviews.append(review)
    scene.push()
    scene.tag("v1")
    assert "!1 by ann needs 1 approval after its last push and has 0: nobody" in said(scene)
    scene.gitlab.approve(review, "bob")
    assert said(scene) == ""
