"""`windlass gate --to ENV` in a merge request: who has to approve it, before there is a release."""

import json
from pathlib import Path

import pytest

from tests.gate.conftest import GATE, USUAL, Run, Scene, git
from tests.gate.evidence import NOON, events, texts
from tests.gate.server import JOB, Review
from windlass.delivery.gate.outlook import Outlook, look_ahead
from windlass.delivery.gate.policy import read_policy
from windlass.spec.evidence import MergeRequest, Proposal

PIPELINE = """\
dag: {{name: score, description: Scores., start_date: 2026-01-01, owner: ann, critical: {critical}}}
tasks: {{extract: {{images: {{operator_type: s3_to_file, key: incoming/a.csv, outputs: {{images: images.csv}}}}}}}}
"""
"""Whether it is critical decides which approvals its merge request needs."""


def proposed(scene: Scene, author: str = "ann", path: str = "notes/a.txt", text: str = "x\n", iid: int = 7) -> Review:
    """An open merge request of `author`, in whose pipeline this job is from now on."""
    scene.git("checkout", "-q", "-B", f"change-{iid}", "main")
    file = scene.checkout / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    head = scene.commit(f"change {iid}")
    review = Review(iid, author, "", head, state="opened", versions=["2026-11-22T10:00:00.000Z"])
    show(scene, review, head)
    scene.gitlab.reviews.append(review)
    scene.in_job(author, f"refs/merge-requests/{iid}/head", head)
    scene.monkeypatch.setenv("CI_MERGE_REQUEST_IID", str(iid))
    scene.monkeypatch.setenv("CI_MERGE_REQUEST_PROJECT_ID", "42")
    return review


def show(scene: Scene, review: Review, head: str) -> None:
    """GitLab keeps the merge request's last commit under a name of its own."""
    scene.git(
        "push", "-q", "--force", str(scene.gitlab.bare("ocr/digits")), f"{head}:refs/merge-requests/{review.iid}/head"
    )


@pytest.mark.stack
def test_a_merge_request_is_refused_until_the_right_people_approved_after_its_last_push(
    scene: Scene, windlass: Run
) -> None:
    scene.policy(USUAL)
    review = proposed(scene)
    for approver, sentence in (
        (None, "!7 by ann needs 1 approval by data-engineer and has 0: nobody"),
        ("ann", "ann is the author"),
        ("eve", "bob, ann or a member of platform/engineers has to approve it"),
    ):
        if approver:
            scene.gitlab.approve(review, approver)
        code, out, err = windlass("gate", "--to", "prod")
        assert (code, sentence in out) == (2, True), (out, err)
        assert "an approval starts no pipeline: press retry on this job after it" in out
        assert "prod would refuse !7 for" in err
        assert "merged" not in out + err
    scene.gitlab.approve(review, "bob")
    code, out, err = windlass("gate", "--to", "prod", "--json")
    told = json.loads(out)
    assert (code, told["passed"], told["merge_request"]) == (0, True, 7), err
    scene.gitlab.push(review, "ann")
    code, out, _ = windlass("gate", "--to", "prod")
    assert (code, "bob approved before the last push" in out) == (2, True)
    assert JOB not in out + err + json.dumps(told)


@pytest.mark.stack
def test_nothing_is_kept_and_nothing_is_asked_that_needs_a_release(scene: Scene, windlass: Run) -> None:
    scene.policy(USUAL + "  soak: 2 hours\n")
    scene.gitlab.approve(proposed(scene), "bob")
    before = dict(scene.world.store.objects)
    code, out, err = windlass("gate", "--to", "prod")
    assert code == 0, (out, err)
    assert [line for line in out.splitlines() if line.startswith("asked later: ")] == [
        "asked later: a protected tag that a developer pushed",
        "asked later: 2 hours of passing in dev",
        "asked later: that prod is not frozen",
        "asked later: an override, where something stands against it: 2 people of manager, developer",
    ]
    assert out.rstrip().endswith("nothing stands against it")
    assert scene.world.store.objects == before


@pytest.mark.stack
def test_the_policy_is_that_of_the_protected_branch_whatever_the_merge_request_says(
    scene: Scene, windlass: Run, tmp_path: Path
) -> None:
    scene.policy(USUAL)
    proposed(scene)
    folder = tmp_path / "mine"
    folder.mkdir()
    for path in (scene.platform / "environments").iterdir():
        (folder / path.name).write_text(path.read_text().replace(USUAL, ""))
    code, out, err = windlass("gate", "--to", "prod", "--environments", str(folder))
    assert (code, "!7 by ann needs 1 approval" in out) == (2, True), err
    assert "of prod here is not what" not in out
    (folder / "prod.yml").write_text((folder / "prod.yml").read_text() + "prefix: mine\n")
    out = windlass("gate", "--to", "prod", "--environments", str(folder))[1]
    assert "prefix of prod here is not what main of platform/windlass says" in out


@pytest.mark.stack
def test_path_rules_ask_for_what_the_merge_request_changes_since_it_left_the_branch(
    scene: Scene, windlass: Run
) -> None:
    scene.policy("gate: {}\n", owners="/models/ @mia\n/data/ @zoe\n")
    review = proposed(scene, path="models/digits.yml")
    scene.gitlab.approve(review, "bob")
    scene.git("checkout", "-q", "main")  # what others bring to the branch is no change of this one
    (scene.checkout / "data").mkdir()
    (scene.checkout / "data/x").write_text("x")
    scene.commit("other")
    scene.push()
    code, out, err = windlass("gate", "--to", "prod")
    assert (code, "!7 by ann changes models/digits.yml, which needs 1 approval of @mia" in out) == (2, True), err
    assert "zoe" not in out
    scene.gitlab.approve(review, "mia")
    assert windlass("gate", "--to", "prod")[0] == 0


@pytest.mark.stack
@pytest.mark.parametrize("where", ["here", "live", "unreadable", "nowhere"])
def test_a_critical_pipeline_here_or_live_or_one_that_cannot_be_read_asks_for_more(
    scene: Scene, windlass: Run, where: str
) -> None:
    scene.policy(GATE)
    if where == "live":
        archive = scene.world.publish(scene.head, {"read": "one"})  # says nothing about critical
        scene.world.promote(archive, scene.head, "dev")
        scene.world.promote(archive, scene.head, "prod")
    text = "dag: [\n" if where == "unreadable" else PIPELINE.format(critical=str(where == "here").lower())
    scene.gitlab.approve(proposed(scene, path="pipelines/score.yml", text=text), "bob")
    code, out, err = windlass("gate", "--to", "prod", "--json")
    found = json.loads(out)
    assert (code, found["passed"]) == ((0, True) if where == "nowhere" else (2, False)), (out, err)
    assert bool(found["evidence"]["critical"]) == (where != "nowhere")
    assert any("manager" in one for one in found["refusals"]) == (where != "nowhere")


@pytest.mark.stack
def test_a_job_that_may_not_read_what_is_live_says_so_and_judges_the_rest(scene: Scene, windlass: Run) -> None:
    scene.policy(GATE)
    base, origin = scene.platform / "environments/base.yml", str(scene.gitlab.bare("platform/windlass"))
    base.write_text(base.read_text().replace("code: code", "code: '${BUCKET_OF_PROTECTED_JOBS}'"))
    for command in (("add", "-A"), ("commit", "-q", "-m", "a variable"), ("push", "-q", "-f", origin, "main")):
        git(scene.platform, *command)
    scene.gitlab.approve(proposed(scene), "bob")
    code, out, err = windlass("gate", "--to", "prod")
    assert (code, "what is live in prod is not known here" in err) == (0, True), (out, err)
    assert "asked later: whether pipelines that are live in prod are critical: this job may not read them" in out


@pytest.mark.stack
def test_without_a_gate_it_is_one_line(scene: Scene, windlass: Run) -> None:
    scene.policy("")
    proposed(scene)
    code, out, _ = windlass("gate", "--to", "prod")
    assert (code, out) == (0, "prod has no gate\n")
    assert json.loads(windlass("gate", "--to", "prod", "--json")[1]) == {
        "environment": "prod", "gate": False, "passed": True,
    }  # fmt: skip


@pytest.mark.stack
def test_what_cannot_be_judged_is_said(scene: Scene, windlass: Run) -> None:
    scene.policy(USUAL)
    review = proposed(scene)
    scene.gitlab.approve(review, "bob")
    review.state = "merged"
    code, _, err = windlass("gate", "--to", "prod")
    assert (code, "!7 of ocr/digits is merged" in err) == (2, True)
    review.state, review.target = "opened", "develop"
    code, out, err = windlass("gate", "--to", "prod")
    assert (code, "into develop: not asked" in out) == (0, True), err
    review.target, review.head = "main", "0" * 40
    code, _, err = windlass("gate", "--to", "prod")
    assert (code, "is being pushed to; try again in a moment" in err) == (75, True)
    code, _, err = windlass("gate", "--to", "prod", "--merge-request", "8")
    assert (code, "the merge request !8 (404)" in err) == (3, True)
    assert windlass("gate", "--to", "prod", "--merge-request", "7", "--tag", "v1")[0] == 2
    scene.monkeypatch.setenv("CI_MERGE_REQUEST_PROJECT_ID", "43")
    code, _, err = windlass("gate", "--to", "prod")
    assert (code, "!7 comes from a fork" in err) == (2, True)


@pytest.mark.stack
def test_a_release_that_is_named_is_asked_about_in_a_merge_request_too(scene: Scene, windlass: Run) -> None:
    scene.policy(USUAL)
    proposed(scene)
    code, _, err = windlass("gate", "--to", "prod", "--commit", scene.head)
    assert (code, "no release" in err) == (2, True), err


@pytest.mark.stack
def test_each_call_to_gitlab_that_fails_once_is_made_again(scene: Scene, windlass: Run) -> None:
    scene.policy(USUAL)
    scene.private()
    scene.gitlab.approve(proposed(scene), "bob")
    assert windlass("gate", "--to", "prod")[0] == 0
    calls, scene.gitlab.asked = len(scene.gitlab.asked), []
    assert calls > 5
    print(f"an outlook: each of {calls} calls to GitLab failed once")
    for number in range(calls):
        scene.gitlab.asked, scene.gitlab.broken = [], number
        assert windlass("gate", "--to", "prod")[0] == 0, number
        assert len(scene.gitlab.asked) > calls


def outlook(*happened: str, gate: str = "gate: {}\n", **more: object) -> Outlook:
    policy_texts = texts(gate)
    policy = read_policy(policy_texts, "prod")[1]
    assert policy is not None
    usual = {
        "environment": "prod", "project": "digits", "at": NOON, "server": "https://gitlab.example",
        "path": "ocr/digits", "default_branch": "main", "head": "1" * 40, "target": "main",
        "merge_requests": [MergeRequest(iid=7, author="ann", events=events(*happened))],
    }  # fmt: skip
    return look_ahead(policy_texts, policy, Proposal.model_validate(usual | more))


def test_an_unprotected_branch_and_an_edited_environment_are_refused_already() -> None:
    assert outlook("approval bob").passed
    said = " ".join(outlook("approval bob", branch_protected=False, differs=["upstream"]).refusals)
    assert "main of ocr/digits is not protected" in said
    assert "upstream of prod here is not what" in said


def test_what_is_asked_later_follows_the_policy() -> None:
    assert outlook().later == ("the verdict of dev", "that prod is not frozen")
    assert outlook(gate="gate: {tag: {protected: false}}\n").later[0] == "a tag"


def test_a_branch_that_is_behind_may_miss_pipelines_that_are_critical() -> None:
    gate = "gate: {critical: {approvals: 2}}\n"
    said = "whether pipelines are critical that main has and this branch has not; rebase it to see"
    assert said in outlook(gate=gate, is_ahead=False).later
    assert said not in outlook(gate=gate).later
    assert said not in outlook(is_ahead=False).later, "where nothing is critical it is all the same"
