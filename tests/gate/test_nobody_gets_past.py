"""The gate before real git repositories and a GitLab that answers by HTTP: who passes, who does not, and why."""

import pytest

from tests.gate.conftest import GATE, RELEASE, ROLES, Scene, override

pytestmark = pytest.mark.stack


def said(scene: Scene, *, tag: str | None = "v1", **more: object) -> str:
    return "\n".join(scene.ask(tag, **more).refusals)


def test_a_merge_request_that_the_right_people_approved_passes_by_a_tag_of_the_right_person(scene: Scene) -> None:
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.tag("v1")
    decision = scene.ask()
    assert decision.refusals == ()
    assert decision.passed
    evidence = decision.evidence
    assert (evidence.person, evidence.path, evidence.default_branch) == ("dev", "ocr/digits", "main")
    assert [commit.merge_requests for commit in evidence.brought] == [[1]]
    assert evidence.merge_requests[0].paths == ["pipelines/a.yml"]
    assert evidence.tag is not None
    assert (evidence.tag.pusher, evidence.tag.protected_says) == ("dev", "the job's variable")


def test_nobody_approved(scene: Scene) -> None:
    scene.merge("ann")
    scene.tag("v1")
    told = said(scene)
    assert "!1 by ann needs 1 approval after its last push and has 0: nobody" in told
    assert (
        "!1 by ann needs 1 approval by data-engineer and has 0: nobody; bob, ann or a member of platform/engineers"
        in told
    )


def test_the_authors_own_approval_counts_nothing(scene: Scene) -> None:
    scene.merge("ann", "pipelines/a.yml", "ann")
    scene.tag("v1")
    assert "ann is the author" in said(scene)


def test_an_approval_before_the_last_push_counts_nothing(scene: Scene) -> None:
    review = scene.merge("ann", "pipelines/a.yml", "bob")
    scene.gitlab.push(review, "ann")
    scene.tag("v1")
    assert "bob approved before the last push" in said(scene)
    scene.gitlab.approve(review, "bob")
    assert said(scene) == ""


def test_an_approval_that_was_taken_back_counts_nothing(scene: Scene) -> None:
    review = scene.merge("ann", "pipelines/a.yml", "bob")
    scene.gitlab.withdraw(review, "bob")
    scene.tag("v1")
    assert "bob took the approval back" in said(scene)


def test_who_pushed_to_a_merge_request_does_not_approve_it_unless_the_policy_says_so(scene: Scene) -> None:
    review = scene.merge("ann")
    scene.gitlab.push(review, "bob")
    scene.gitlab.approve(review, "bob")
    scene.tag("v1")
    assert "bob pushed to it" in said(scene)
    scene.policy(GATE + "  committers: true\n")
    assert said(scene) == ""


def test_a_note_that_somebody_wrote_is_no_approval(scene: Scene) -> None:
    review = scene.merge("ann")
    scene.gitlab.note(review, "approved this merge request", "bob", system=False)
    scene.tag("v1")
    assert "has 0: nobody" in said(scene)


def test_a_note_that_was_edited_is_none_either_and_takes_no_approval_away(scene: Scene) -> None:
    review = scene.merge("ann", "pipelines/a.yml", "bob")
    scene.gitlab.note(review, "looks good", "eve", system=False)
    review.notes[-1]["body"] = "unapproved this merge request"
    scene.gitlab.note(review, "added 3 commits", "eve", system=False)
    scene.tag("v1")
    assert said(scene) == ""


def test_all_pages_of_notes_are_read(scene: Scene) -> None:
    review = scene.merge("ann", "pipelines/a.yml", "bob")
    for _ in range(7):
        scene.gitlab.note(review, "nice", "eve", system=False)
    scene.gitlab.push(review, "ann")
    for _ in range(7):
        scene.gitlab.note(review, "very nice", "eve", system=False)
    scene.tag("v1")
    assert "bob approved before the last push" in said(scene)


def test_with_a_token_an_approval_must_stand_in_gitlabs_list_and_in_the_notes(scene: Scene) -> None:
    scene.private()
    review = scene.merge("ann", "pipelines/a.yml", "bob")
    scene.tag("v1")
    assert said(scene) == ""
    review.approved_by.clear()
    assert "bob is not among GitLab's approvals" in said(scene)
    review.approved_by.append("bob")
    review.notes.clear()
    assert "has 0: nobody" in said(scene)


def test_a_push_that_left_no_note_is_known_by_the_version(scene: Scene) -> None:
    scene.private()
    review = scene.merge("ann", "pipelines/a.yml", "bob")
    review.versions.append("2026-11-22T10:59:00.000Z")
    scene.tag("v1")
    assert "bob approved before the last push" in said(scene)


def test_who_is_blocked_or_no_member_any_more_does_not_count(scene: Scene) -> None:
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.tag("v1")
    scene.gitlab.blocked.add("bob")
    assert "bob is blocked" in said(scene)
    scene.gitlab.blocked.clear()
    scene.private()
    assert said(scene) == ""
    scene.gitlab.members.remove("bob")
    assert "bob is no member of the project" in said(scene)


def test_a_bot_is_no_person(scene: Scene) -> None:
    scene.policy(roles=ROLES.replace("[bob, ann]", "[bob, project_42_bot_1]"))
    scene.merge("ann", "pipelines/a.yml", "project_42_bot_1")
    scene.tag("v1")
    assert "project_42_bot_1 is no person" in said(scene)


def test_groups_are_asked_with_a_token_and_without_one_a_sentence_says_so(scene: Scene) -> None:
    scene.gitlab.groups["platform/engineers"] = ["eve"]
    scene.merge("ann", "pipelines/a.yml", "eve")
    scene.tag("v1")
    assert "who is in platform/engineers is not told to a job token: set WINDLASS_GITLAB_TOKEN" in said(scene)
    scene.private()
    decision = scene.ask()
    assert decision.passed
    assert (decision.evidence.members, decision.evidence.groups) == (["dev", "eve"], {"platform/engineers": ["eve"]})


def test_a_commit_without_a_merge_request_is_named(scene: Scene) -> None:
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.commit("straight to main")
    scene.push()
    scene.tag("v1")
    assert f"commit {scene.head[:12]} ('straight to main') came to main without a merge request" in said(scene)


def test_a_merge_request_into_another_branch_brings_nothing(scene: Scene) -> None:
    scene.merge("ann", "pipelines/a.yml", "bob").target = "feature"
    scene.tag("v1")
    assert "came to main without a merge request" in said(scene)


def test_a_merge_commit_with_more_in_it_than_was_shown_is_refused(scene: Scene) -> None:
    scene.merge("ann", "pipelines/a.yml", "bob").head = "e" * 40
    scene.tag("v1")
    assert "and !1 showed eeeeeeeeeeee last" in said(scene)


def test_every_merge_request_since_what_is_live_is_asked_and_none_before(scene: Scene) -> None:
    scene.live = scene.merge("ann").commit
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.merge("eve", "pipelines/b.yml")
    scene.tag("v1")
    decision = scene.ask()
    assert [one.iid for one in decision.evidence.merge_requests] == [2, 3]
    assert all("!3 by eve" in refusal for refusal in decision.refusals)
    assert len(decision.refusals) == 2


def test_the_first_deployment_asks_for_the_last_merge_request(scene: Scene) -> None:
    scene.live = None
    scene.merge("ann")
    scene.merge("eve", "pipelines/b.yml", "bob")
    scene.tag("v1")
    decision = scene.ask()
    assert [one.iid for one in decision.evidence.merge_requests] == [2]
    assert decision.passed


def test_what_is_live_and_not_on_the_branch_is_told(scene: Scene) -> None:
    scene.live = "a" * 40
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.tag("v1")
    assert "what prod has live (commit aaaaaaaaaaaa) is not on main of ocr/digits" in said(scene)


def test_the_checkouts_own_history_is_not_believed(scene: Scene) -> None:
    scene.merge("ann")
    scene.tag("v1")
    scene.git("replace", "HEAD", scene.live or "")
    scene.git("update-ref", "refs/remotes/origin/main", "HEAD")
    assert "has 0: nobody" in said(scene)


def test_critical_pipelines_need_more(scene: Scene) -> None:
    review = scene.merge("ann", "pipelines/a.yml", "bob")
    scene.tag("v1")
    told = said(scene, critical=("scores",))
    assert "!1 by ann needs 2 approvals (critical: scores) after its last push and has 1: bob" in told
    assert "needs 1 approval by manager (critical: scores) and has 0" in told
    scene.gitlab.approve(review, "mia")
    assert said(scene, critical=("scores",)) == ""


def test_path_rules_ask_for_their_owners(scene: Scene) -> None:
    scene.policy(
        GATE.replace("  roles: {data-engineer: 1}\n", ""), owners="[Models][2] @@data-engineer @eve\n/models/\n"
    )
    review = scene.merge("ann", "models/digits.yml", "bob")
    scene.tag("v1")
    assert "!1 by ann changes models/digits.yml, which needs 2 approvals of @eve, @@data-engineer and has 1" in said(
        scene
    )
    scene.gitlab.approve(review, "eve")
    assert said(scene) == ""


def test_a_tag_is_needed_and_must_be_there(scene: Scene) -> None:
    scene.merge("ann", "pipelines/a.yml", "bob")
    assert "prod takes releases by a tag only" in said(scene, tag=None)
    assert "ocr/digits has no tag v1" in said(scene)


def test_a_tag_of_the_wrong_person_is_refused_whatever_the_jobs_variables_say(scene: Scene) -> None:
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.tag("v1", by="ann")
    scene.monkeypatch.setenv("GITLAB_USER_LOGIN", "dev")
    assert "tag v1 was pushed by ann, who is no developer; remove it and let dev push it" in said(scene)
    scene.private()
    scene.in_job("dev", "v1", scene.head, is_tag=True)
    assert "tag v1 was pushed by ann" in said(scene), "with a token it is the first pipeline that counts"


def test_a_tag_that_moved_is_refused(scene: Scene) -> None:
    scene.merge("ann", "pipelines/a.yml", "bob")
    good = scene.head
    scene.tag("v1")
    scene.merge("ann", "pipelines/b.yml", "bob")
    scene.tag("v1", force=True)
    assert f"tag v1 points to commit {scene.head[:12]} now, and the release was built from {good[:12]}" in said(
        scene, commit=good
    )


def test_a_tag_on_a_commit_that_is_not_merged_is_refused(scene: Scene) -> None:
    scene.git("checkout", "-q", "-b", "wild")
    scene.commit("wild")
    scene.tag("v1")
    assert f"commit {scene.head[:12]} is not on main of ocr/digits; merge it" in said(scene)


def test_a_tag_must_be_protected_and_the_decision_says_who_says_so(scene: Scene) -> None:
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.tag("v1")
    scene.monkeypatch.setenv("CI_COMMIT_REF_PROTECTED", "false")
    assert "tag v1 must be protected and it is not" in said(scene)
    scene.private()
    assert said(scene) == "", "GitLab's own word is asked where the token may"
    scene.gitlab.protected_tags[:] = ["release-*", "w*"]
    assert "tag v1 must be protected and it is not" in said(scene)


def test_a_job_token_that_may_list_tags_is_told_whether_one_is_protected(scene: Scene) -> None:
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.tag("v1")
    scene.gitlab.tags_are_told = True
    tag = scene.ask().evidence.tag
    assert tag is not None
    assert (tag.protected, tag.protected_says) == (True, "GitLab")
    scene.gitlab.protected_tags.clear()
    assert "tag v1 must be protected and it is not" in said(scene)


def test_who_pushed_a_tag_is_not_known_outside_of_its_pipeline(scene: Scene) -> None:
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.tag("v1")
    scene.in_job("dev", "main")
    assert "who pushed tag v1 is not known here" in said(scene)


def test_an_unprotected_branch_makes_the_policy_worthless(scene: Scene) -> None:
    scene.private()
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.tag("v1")
    scene.gitlab.unprotected |= {"platform/windlass", "ocr/digits"}
    told = said(scene, overrides=(override("mia", "2026-11-22T00:00:00Z"),))
    assert "main of platform/windlass is not protected, so anybody who may push could write this gate" in told
    assert "main of ocr/digits is not protected" in told


def test_the_release_of_the_question_is_in_the_decision(scene: Scene) -> None:
    scene.merge("ann", "pipelines/a.yml", "bob")
    scene.tag("v1")
    assert scene.ask().evidence.release == RELEASE
