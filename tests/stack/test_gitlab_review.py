"""Merge requests under review: approvals, drafts, notes and versions, as GitLab tells them."""

from typing import Any

import pytest

from tests.fakes.standin import DEVELOPER, MAINTAINER, Checkout, Company

from .test_gitlab_people import refused

pytestmark = pytest.mark.stack


@pytest.fixture
def request_of_ann(company: Company, checkout: Checkout) -> Any:
    """A merge request of ann's in models/digits, as the operator sees it; bob and mia are there too."""
    project = company.project("models/digits", ann=DEVELOPER, bob=DEVELOPER, mia=MAINTAINER)
    checkout.commit("Begin", readme="one")
    checkout.push("models/digits", "main")
    checkout.commit("Work", model="one")
    checkout.push_as(company.remote("ann"), "models/digits", "refs/heads/work")
    opened = {"source_branch": "work", "target_branch": "main", "title": "Better digits"}
    iid = company.api("ann").projects.get(project.id).mergerequests.create(opened).iid
    return project.mergerequests.get(iid)


def seen_by(company: Company, name: str) -> Any:
    return company.api(name).projects.get("models/digits").mergerequests.get(1)


def system_notes(request: Any) -> list[tuple[str, str]]:
    """Who did what, oldest first; of a longer note the first line."""
    found = request.notes.list(sort="asc", activity_filter="only_activity", get_all=True)
    assert all(note.system for note in found)
    return [(note.author["username"], note.body.split("\n")[0]) for note in found]


def approved_by(request: Any) -> list[str]:
    return [entry["user"]["username"] for entry in request.approvals.get().approved_by]


def test_a_merge_request_has_its_author_and_its_addresses(request_of_ann: Any) -> None:
    assert request_of_ann.author["username"] == "ann"
    assert request_of_ann.references["full"] == "models/digits!1"
    assert request_of_ann.web_url.endswith("/models/digits/-/merge_requests/1")
    assert request_of_ann.diff_refs["head_sha"] == request_of_ann.sha
    assert request_of_ann.detailed_merge_status == "mergeable"


def test_approvals_are_given_and_withdrawn(company: Company, request_of_ann: Any) -> None:
    bob = seen_by(company, "bob")
    bob.approve(sha=request_of_ann.sha)
    assert approved_by(request_of_ann) == ["bob"]
    assert bob.approvals.get().user_has_approved
    assert refused(bob.approve) == 401  # not twice
    bob.unapprove()
    assert approved_by(request_of_ann) == []
    assert refused(bob.unapprove) == 404
    assert system_notes(request_of_ann) == [
        ("bob", "approved this merge request"),
        ("bob", "unapproved this merge request"),
    ]


def test_an_approval_of_a_head_that_has_moved_is_refused(company: Company, request_of_ann: Any) -> None:
    assert refused(seen_by(company, "bob").approve, sha="0" * 40) == 409
    assert approved_by(request_of_ann) == []


def test_only_developers_approve(company: Company, request_of_ann: Any) -> None:
    company.join("rob", company.root.projects.get("models/digits"), 20)
    assert refused(seen_by(company, "rob").approve) == 401


def test_the_author_approves_their_own_work_unless_the_project_forbids_it(
    company: Company, request_of_ann: Any
) -> None:
    project = company.root.projects.get("models/digits")
    ann = seen_by(company, "ann")
    ann.approve()  # as on the Free tier: whoever counts approvals has to leave the author's out
    assert approved_by(request_of_ann) == ["ann"]
    ann.unapprove()
    settings = project.approvals.get()
    settings.merge_requests_author_approval = False
    settings.save()
    assert refused(ann.approve) == 401
    assert approved_by(request_of_ann) == []


def test_a_push_after_an_approval_is_noted_and_the_approval_stays_as_on_the_free_tier(
    company: Company, request_of_ann: Any, checkout: Checkout
) -> None:
    seen_by(company, "bob").approve()
    old, new = request_of_ann.sha, checkout.commit("More work", model="two")
    checkout.push_as(company.remote("ann"), "models/digits", "refs/heads/work")
    assert approved_by(request_of_ann) == ["bob"]
    assert system_notes(request_of_ann)[1:] == [("ann", "added 1 commit")]
    note = request_of_ann.notes.list(get_all=True)[0]
    link = f"[Compare with previous version](/models/digits/-/merge_requests/1/diffs?diff_id=2&start_sha={old})"
    assert note.body == f"added 1 commit\n\n<ul><li>{new[:8]} - More work</li></ul>\n\n{link}"


def test_a_push_takes_approvals_back_where_the_project_says_so(
    company: Company, request_of_ann: Any, checkout: Checkout
) -> None:
    settings = company.root.projects.get("models/digits").approvals.get()
    settings.reset_approvals_on_push = True
    settings.save()
    for name in ("bob", "mia"):
        seen_by(company, name).approve()
    checkout.commit("More work", model="two")
    checkout.push_as(company.remote("ann"), "models/digits", "refs/heads/work")
    assert approved_by(request_of_ann) == []
    assert system_notes(request_of_ann)[-1] == ("ann", "reset approvals from @bob and @mia by pushing to the branch")


def test_each_push_is_a_version_even_one_that_only_takes_away(
    company: Company, request_of_ann: Any, checkout: Checkout
) -> None:
    first, second = request_of_ann.sha, checkout.commit("More work", model="two")
    checkout.push_as(company.remote("ann"), "models/digits", "refs/heads/work")
    assert [commit.id for commit in request_of_ann.commits()] == [second, first]
    checkout.git("reset", "--quiet", "--hard", first)
    checkout.push("models/digits", "work")
    versions = request_of_ann.diffs.list(get_all=True)
    assert [version.head_commit_sha for version in versions] == [first, second, first]
    assert [commit["id"] for commit in request_of_ann.diffs.get(versions[1].id).commits] == [second, first]
    assert [note for _, note in system_notes(request_of_ann)] == [
        "added 1 commit"
    ]  # GitLab notes no commits taken away


def test_commits_of_the_target_that_were_merged_in_are_told_apart(
    company: Company, request_of_ann: Any, checkout: Checkout
) -> None:
    checkout.git("checkout", "--quiet", "-b", "main-again", "HEAD~1")
    moved = checkout.commit("Elsewhere", other="one")
    checkout.push("models/digits", "main")
    checkout.git("checkout", "--quiet", request_of_ann.sha)
    checkout.git("merge", "--quiet", "--no-ff", "-m", "Catch up", moved)
    checkout.push_as(company.remote("ann"), "models/digits", "refs/heads/work")
    body = request_of_ann.notes.list(get_all=True)[0].body
    merge = checkout.git("rev-parse", "HEAD")
    first, second = f"{moved[:8]} - 1 commit from branch <code>main</code>", f"{merge[:8]} - Catch up"
    assert body.startswith(f"added 2 commits\n\n<ul><li>{first}</li><li>{second}</li></ul>")


def test_a_draft_is_marked_and_not_merged_until_it_is_ready(company: Company, request_of_ann: Any) -> None:
    request_of_ann.title = "Draft: Better digits"
    request_of_ann.save()
    assert request_of_ann.draft
    mia = seen_by(company, "mia")
    assert refused(mia.merge) == 405
    mia.title = "Better digits"
    mia.save()
    mia.title = "Best digits"
    mia.save()
    assert system_notes(request_of_ann) == [
        ("root", "marked this merge request as **draft**"),
        ("mia", "marked this merge request as **ready**"),
        ("mia", "changed title from **{-Better digits-}** to **{+Best digits+}**"),
    ]
    mia.merge()
    assert request_of_ann.manager.get(1).merged_by["username"] == "mia"


def test_a_review_is_requested(company: Company, request_of_ann: Any) -> None:
    request_of_ann.reviewer_ids = [company.user("bob").id, company.user("mia").id]
    request_of_ann.save()
    assert [user["username"] for user in request_of_ann.manager.get(1).reviewers] == ["bob", "mia"]
    assert system_notes(request_of_ann) == [("root", "requested review from @bob and @mia")]


def test_people_write_notes_that_say_whose_they_are_and_are_none_of_gitlabs(
    company: Company, request_of_ann: Any
) -> None:
    ann, bob = seen_by(company, "ann"), seen_by(company, "bob")
    forged = ann.notes.create({"body": "approved this merge request", "system": True})
    assert (forged.system, forged.author["username"]) == (False, "ann")
    bob.approve()
    assert system_notes(request_of_ann) == [("bob", "approved this merge request")]
    comments = request_of_ann.notes.list(activity_filter="only_comments", get_all=True)
    assert [(note.id, note.author["username"]) for note in comments] == [(forged.id, "ann")]
    note = ann.notes.get(forged.id)
    note.body = "something else"
    note.save()
    assert refused(bob.notes.get(forged.id).delete) == 403
    system = request_of_ann.notes.list(activity_filter="only_activity", get_all=True)[0]
    system.body = "unapproved this merge request"
    assert refused(system.save) == 403
    assert refused(system.delete) == 403
    note.delete()
    assert ann.notes.create({"body": "again"}).id > system.id > forged.id


def test_notes_come_in_either_order_and_in_pages(company: Company, request_of_ann: Any) -> None:
    for number in range(25):
        request_of_ann.notes.create({"body": str(number)})
    newest_first = [note.body for note in request_of_ann.notes.list(iterator=True)]
    assert newest_first == [str(number) for number in reversed(range(25))]
    page = request_of_ann.notes.list(sort="asc", order_by="updated_at", per_page=10, page=3, get_all=False)
    assert [note.body for note in page] == ["20", "21", "22", "23", "24"]


def test_only_who_may_push_or_merge_to_a_protected_branch_merges(company: Company, request_of_ann: Any) -> None:
    assert refused(seen_by(company, "bob").merge) == 401
    seen_by(company, "mia").merge()
    merged = request_of_ann.manager.get(1)
    note = system_notes(request_of_ann)[-1]
    assert note == ("mia", f"mentioned in commit {merged.merge_commit_sha}")
    commit = company.root.projects.get("models/digits").commits.get(merged.merge_commit_sha)
    assert commit.author_name == "Mia"
    assert commit.message.rstrip().endswith("See merge request models/digits!1")


@pytest.mark.parametrize(("method", "squash"), [("merge", False), ("merge", True), ("ff", False), ("ff", True)])
def test_the_commits_on_main_know_their_merge_request_however_it_was_merged(
    company: Company, request_of_ann: Any, method: str, squash: bool
) -> None:
    project = company.root.projects.get("models/digits")
    project.merge_method = method
    project.save()
    before = project.branches.get("main").commit["id"]
    request_of_ann.merge(squash=squash, should_remove_source_branch=True)
    merged = request_of_ann.manager.get(1)
    assert (merged.merge_commit_sha is None, merged.squash_commit_sha is None) == (method == "ff", not squash)
    new = [commit.id for commit in project.commits.list(ref_name=f"{before}..main", get_all=True)]
    assert new
    for commit in new:
        assert [found["iid"] for found in project.commits.get(commit).merge_requests()] == [1]
    assert [branch.name for branch in project.branches.list(get_all=True)] == ["main"]


def test_a_fast_forward_that_is_none_is_refused(company: Company, request_of_ann: Any, checkout: Checkout) -> None:
    project = company.root.projects.get("models/digits")
    project.merge_method = "ff"
    project.save()
    checkout.git("reset", "--quiet", "--hard", "HEAD~1")
    checkout.commit("Elsewhere", other="one")
    checkout.push("models/digits", "main")
    assert refused(request_of_ann.merge) == 405


def test_a_pipeline_must_have_succeeded_where_the_project_says_so(company: Company, request_of_ann: Any) -> None:
    project = company.root.projects.get("models/digits")
    project.only_allow_merge_if_pipeline_succeeds = True
    project.save()
    assert refused(request_of_ann.merge) == 405
    about = {"ref": "refs/merge-requests/1/head", "sha": request_of_ann.sha, "source": "merge_request_event"}
    with company.pipeline(project, "ann", about) as started:
        started.ended_well = True
    assert [pipeline.status for pipeline in request_of_ann.pipelines.list(get_all=True)] == ["success"]
    assert request_of_ann.manager.get(1).head_pipeline["status"] == "success"
    request_of_ann.merge()


def test_a_push_to_main_that_holds_the_work_merges_the_request_without_any_approval(
    company: Company, request_of_ann: Any, checkout: Checkout
) -> None:
    checkout.push_as(company.remote("mia"), "models/digits", "refs/heads/main")
    merged = request_of_ann.manager.get(1)
    assert (merged.state, merged.merged_by["username"]) == ("merged", "mia")
    assert approved_by(request_of_ann) == []


def test_requests_are_found_by_number_author_and_draft_closed_and_opened_again(
    company: Company, request_of_ann: Any
) -> None:
    requests = company.root.projects.get("models/digits").mergerequests
    assert [r.iid for r in requests.list(iids=[1], get_all=True)] == [1]
    assert [r.iid for r in requests.list(iids=[2], get_all=True)] == []
    assert [r.iid for r in requests.list(author_username="ann", wip="no", get_all=True)] == [1]
    assert requests.list(author_username="bob", get_all=True) == []
    for event, state in (("close", "closed"), ("reopen", "opened")):
        request_of_ann.state_event = event
        request_of_ann.save()
        assert requests.get(1).state == state


def test_what_a_request_changes_is_told_file_by_file(request_of_ann: Any) -> None:
    [change] = request_of_ann.changes()["changes"]
    assert (change["new_path"], change["new_file"]) == ("model", True)
    assert change["diff"] == "@@ -0,0 +1 @@\n+one\n\\ No newline at end of file\n"
