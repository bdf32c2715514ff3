"""Protected branches and tags: git's pushes and the API's calls are refused alike, in GitLab's words."""

import os
from typing import Any

import gitlab
import pytest

from tests.fakes.standin import DEVELOPER, MAINTAINER, Checkout, Company
from windlass.spec.errors import ServiceError

from .test_gitlab_people import refused

pytestmark = pytest.mark.stack


@pytest.fixture
def project(company: Company, checkout: Checkout) -> Any:
    """models/digits with main, of which ann is a developer and mia a maintainer."""
    project = company.project("models/digits", ann=DEVELOPER, mia=MAINTAINER)
    checkout.commit("Begin", readme="one")
    checkout.push("models/digits", "main")
    return project


def said(company: Company, checkout: Checkout, name: str, *arguments: str) -> str:
    """What git says when the user's push is refused."""
    remote = company.remote(name)
    with pytest.raises(ServiceError) as refusal:
        remote.git(checkout.folder, "push", "--quiet", remote.project("models/digits"), *arguments)
    return str(refusal.value)


def test_the_default_branch_is_protected_from_its_first_push(
    company: Company, project: Any, checkout: Checkout
) -> None:
    [rule] = project.protectedbranches.list(get_all=True)
    levels = (rule.push_access_levels, rule.merge_access_levels)
    assert (rule.name, *(level[0]["access_level"] for level in levels), rule.allow_force_push) == (
        "main",
        40,
        40,
        False,
    )
    first = checkout.git("rev-parse", "HEAD")
    checkout.commit("Work", model="one")
    words = "GitLab: You are not allowed to push code to protected branches on this project."
    assert words in said(company, checkout, "ann", "HEAD:refs/heads/main")
    assert project.branches.get("main").commit["id"] == first
    checkout.push_as(company.remote("mia"), "models/digits", "refs/heads/main")
    checkout.git("reset", "--quiet", "--hard", first)
    checkout.commit("Other work", model="two")
    words = "GitLab: You are not allowed to force push code to a protected branch on this project."
    assert words in said(company, checkout, "mia", "--force", "HEAD:refs/heads/main")
    assert "The default branch of a project cannot be deleted." in said(company, checkout, "mia", ":refs/heads/main")


def test_a_developer_does_not_begin_a_project(company: Company, checkout: Checkout) -> None:
    company.project("models/digits", ann=DEVELOPER)
    checkout.commit("Begin", readme="one")
    assert "does not yet exist for models/digits" in said(company, checkout, "ann", "HEAD:refs/heads/main")


def test_one_refused_update_keeps_the_whole_push_out(company: Company, project: Any, checkout: Checkout) -> None:
    checkout.commit("Work", model="one")
    said(company, checkout, "ann", "HEAD:refs/heads/work", "HEAD:refs/heads/main")
    assert [branch.name for branch in project.branches.list(get_all=True)] == ["main"]


def test_a_push_too_large_for_one_request_is_judged_too(company: Company, project: Any, checkout: Checkout) -> None:
    (checkout.folder / "blob").write_bytes(os.urandom(1_500_000))
    checkout.commit("A big file")
    assert "not allowed to push" in said(company, checkout, "ann", "HEAD:refs/heads/main")
    checkout.push_as(company.remote("ann"), "models/digits", "refs/heads/work")


@pytest.mark.parametrize("kind", ["lightweight", "annotated"])
def test_a_protected_tag_is_pushed_by_who_may(company: Company, project: Any, checkout: Checkout, kind: str) -> None:
    rule = project.protectedtags.create({"name": "v*", "create_access_level": 40})
    assert rule.create_access_levels[0]["access_level"] == 40
    checkout.git("tag", *(["-a", "-m", "Release"] if kind == "annotated" else []), "v1.0.0")
    words = "GitLab: You are not allowed to create this tag as it is protected."
    assert words in said(company, checkout, "ann", "v1.0.0")
    assert project.tags.list(get_all=True) == []
    company.remote("ann").git(
        checkout.folder, "push", "--quiet", checkout.remote.project("models/digits"), "v1.0.0:refs/tags/try"
    )
    checkout.push_as(company.remote("mia"), "models/digits", "refs/tags/v1.0.1")
    assert {tag.name: tag.protected for tag in project.tags.list(get_all=True)} == {"try": False, "v1.0.1": True}
    checkout.commit("Later", readme="two")
    assert "Protected tags cannot be updated." in said(company, checkout, "mia", "--force", "HEAD:refs/tags/v1.0.1")
    assert "only delete protected tags using the web" in said(company, checkout, "mia", ":refs/tags/v1.0.1")


def test_a_protected_tag_is_made_through_the_api_and_by_a_release_by_who_may(company: Company, project: Any) -> None:
    project.protectedtags.create({"name": "v*", "create_access_level": 40})
    ann, mia = (company.api(name).projects.get(project.id) for name in ("ann", "mia"))
    with pytest.raises(gitlab.GitlabCreateError, match="not allowed to create this tag as it is protected"):
        ann.tags.create({"tag_name": "v1.0.0", "ref": "main"})
    assert refused(ann.releases.create, {"tag_name": "v1.0.0", "ref": "main", "description": "x"}) == 400
    assert mia.tags.create({"tag_name": "v1.0.0", "ref": "main"}).protected
    assert refused(ann.tags.get("v1.0.0").delete) == 403
    project.protectedtags.get("v*").delete()
    ann.tags.get("v1.0.0").delete()


def test_no_one_is_no_one(company: Company, project: Any, checkout: Checkout) -> None:
    project.protectedtags.create({"name": "v*", "create_access_level": 0})
    assert "as it is protected" in said(company, checkout, "root", "HEAD:refs/tags/v1.0.0")


def test_branches_are_protected_changed_and_freed(company: Company, project: Any, checkout: Checkout) -> None:
    rule = project.protectedbranches.create({"name": "release/*", "push_access_level": 0, "merge_access_level": 30})
    assert refused(project.protectedbranches.create, {"name": "release/*"}) == 409
    assert "not allowed to create protected branches" in said(company, checkout, "mia", "HEAD:refs/heads/release/1")
    with pytest.raises(gitlab.GitlabCreateError, match="create protected branches"):
        project.branches.create({"branch": "release/1", "ref": "main"})
    rule.allow_force_push = True
    rule.save()
    assert project.protectedbranches.get("release/*").allow_force_push
    rule.delete()
    branch = company.api("ann").projects.get(project.id).branches.create({"branch": "release/1", "ref": "main"})
    assert (branch.protected, branch.can_push) == (False, True)
    assert refused(company.api("ann").projects.get(project.id).protectedtags.list) == 403
    branch.delete()


def test_references_that_are_gitlabs_own_or_misleading_are_refused(
    company: Company, project: Any, checkout: Checkout
) -> None:
    for ref in ("refs/merge-requests/1/head", "refs/heads/" + "a" * 40, "refs/tags/main"):
        assert "GitLab: " in said(company, checkout, "mia", f"HEAD:{ref}")


def test_files_are_committed_through_the_api_by_who_may_push(company: Company, project: Any) -> None:
    ann = company.api("ann").projects.get(project.id)
    told = {"file_path": "environments/prod.yml", "content": "gate: {}\n", "commit_message": "A gate"}
    assert refused(ann.files.create, {**told, "branch": "main"}) == 403
    ann.files.create({**told, "branch": "gate", "start_branch": "main"})
    assert ann.files.raw("environments/prod.yml", ref="gate") == b"gate: {}\n"
    file = ann.files.get("environments/prod.yml", ref="gate")
    assert file.decode() == b"gate: {}\n"
    file.content = "gate: {approvals: 1}\n"
    file.save(branch="gate", commit_message="One approval")
    within = {"ref_name": "gate", "path": "environments/prod.yml"}  # python-gitlab has another `path`
    history = ann.commits.list(query_parameters=within, get_all=True)
    assert [(commit.title, commit.author_name) for commit in history] == [("One approval", "Ann"), ("A gate", "Ann")]
    assert refused(ann.files.get, "environments/prod.yml", ref="main") == 404
    tree = ann.repository_tree(ref="gate", recursive=True, get_all=True)
    assert [entry["path"] for entry in tree] == ["environments", "environments/prod.yml", "readme"]
    compared = ann.repository_compare("main", "gate")
    assert [c["title"] for c in compared["commits"]] == ["A gate", "One approval"]
    assert [d["new_path"] for d in compared["diffs"]] == ["environments/prod.yml"]
