"""The stand-in answers python-gitlab as GitLab does."""

import gitlab
import pytest
import requests

from tests.fakes.standin import Checkout, new_project, serve
from windlass.stack.gitlab.app import Standin


@pytest.fixture
def project(api: gitlab.Gitlab, checkout: Checkout):
    """models/digits with a commit on main."""
    project = new_project(api, "models/digits")
    checkout.commit(readme="one")
    checkout.push("models/digits", "main")
    return project


def branch(checkout: Checkout, name: str, **files: str) -> str:
    commit = checkout.commit(f"work on {name}", **files)
    checkout.push("models/digits", name)
    return commit


def open_request(project, source: str):
    return project.mergerequests.create({"source_branch": source, "target_branch": "main", "title": "Better digits"})


def test_a_project_is_found_by_number_and_by_path(api: gitlab.Gitlab, project) -> None:
    assert api.projects.get("models/digits").id == api.projects.get(project.id).id == project.id
    with pytest.raises(gitlab.GitlabCreateError, match="already been taken"):
        new_project(api, "models/digits")
    with pytest.raises(gitlab.GitlabGetError) as missing:
        api.projects.get("models/letters")
    assert missing.value.response_code == 404


@pytest.mark.parametrize("name", ["..", ".git", "a b", "a;b", "-x", "x.git"])
def test_a_project_whose_name_could_be_a_path_is_refused(api: gitlab.Gitlab, name: str) -> None:
    with pytest.raises(gitlab.GitlabCreateError):
        new_project(api, "models/fine", path=name)


@pytest.mark.parametrize("token", ["", "wrong"])
def test_a_wrong_token_is_refused(standin: Standin, token: str) -> None:
    answer = requests.get(f"{standin.url}/api/v4/projects", headers={"PRIVATE-TOKEN": token}, timeout=5)
    assert answer.status_code == 401


def test_a_merge_request_is_merged_with_a_real_merge_commit(project, checkout: Checkout) -> None:
    before = project.branches.get("main").commit["id"]
    work = branch(checkout, "work", model="two")
    request = open_request(project, "work")
    assert (request.iid, request.state, request.sha) == (1, "opened", work)
    request.merge(sha=work)
    merged = project.mergerequests.get(1)
    main = project.branches.get("main").commit
    assert (merged.state, merged.merge_commit_sha) == ("merged", main["id"])
    assert main["parent_ids"] == [before, work]
    assert main["title"] == "Merge branch 'work' into 'main'"


def test_a_merge_request_follows_its_branch(project, checkout: Checkout) -> None:
    old = branch(checkout, "work", model="two")
    open_request(project, "work")
    new = branch(checkout, "work", model="three")
    request = project.mergerequests.get(1)
    assert request.sha == new
    with pytest.raises(gitlab.GitlabMRClosedError) as moved:
        request.merge(sha=old)
    assert moved.value.response_code == 409
    assert project.mergerequests.get(1).state == "opened"


def test_a_conflict_is_refused_and_main_stays(project, checkout: Checkout, api: gitlab.Gitlab) -> None:
    branch(checkout, "one", readme="mine")
    checkout.git("reset", "--quiet", "--hard", "HEAD~1")
    branch(checkout, "two", readme="yours")
    for name in ("one", "two"):
        open_request(project, name)
    project.mergerequests.get(1).merge()
    main = project.branches.get("main").commit["id"]
    with pytest.raises(gitlab.GitlabMRClosedError, match="cannot be merged"):
        project.mergerequests.get(2).merge()
    assert project.branches.get("main").commit["id"] == main
    with pytest.raises(gitlab.GitlabMRClosedError) as closed:
        project.mergerequests.get(1).merge()
    assert closed.value.response_code == 405


def test_the_same_two_branches_have_one_open_merge_request(project, checkout: Checkout) -> None:
    branch(checkout, "work", model="two")
    open_request(project, "work")
    with pytest.raises(gitlab.GitlabCreateError, match="!1"):
        open_request(project, "work")
    found = project.mergerequests.list(state="opened", source_branch="work", get_all=True)
    assert [request.iid for request in found] == [1]
    assert project.mergerequests.list(state="merged", get_all=True) == []


def test_a_commit_knows_the_merge_request_that_brought_it(project, checkout: Checkout) -> None:
    first = project.branches.get("main").commit["id"]
    work = branch(checkout, "work", model="two")
    open_request(project, "work").merge()
    merge = project.mergerequests.get(1).merge_commit_sha
    numbers = {c: [r["iid"] for r in project.commits.get(c).merge_requests()] for c in (first, work, merge)}
    assert numbers == {first: [], work: [1], merge: [1]}


def test_a_tag_is_made_on_a_branch_once(project) -> None:
    tag = project.tags.create({"tag_name": "v1.0.0", "ref": "main", "message": "Release"})
    assert tag.commit["id"] == project.branches.get("main").commit["id"]
    with pytest.raises(gitlab.GitlabCreateError, match="already exists"):
        project.tags.create({"tag_name": "v1.0.0", "ref": "main"})
    for bad in ("-d", "a..b", "a b"):
        with pytest.raises(gitlab.GitlabCreateError):
            project.tags.create({"tag_name": bad, "ref": "main"})
    assert [tag.name for tag in project.tags.list(get_all=True)] == ["v1.0.0"]


def test_deployments_are_found_by_environment_and_status_newest_first_when_asked(project) -> None:
    commit = project.branches.get("main").commit["id"]
    for environment, status in (("dev", "success"), ("stage", "failed"), ("dev", "failed"), ("dev", "success")):
        made = {"environment": environment, "sha": commit, "ref": "main", "tag": False, "status": status}
        project.deployments.create(made)
    found = project.deployments.list(environment="dev", status="success", sort="desc", get_all=True)
    assert [deployment.id for deployment in found] == [4, 1]


def test_long_lists_come_in_pages(project) -> None:
    commit = project.branches.get("main").commit["id"]
    for _ in range(25):
        made = {"environment": "dev", "sha": commit, "ref": "main", "tag": False, "status": "success"}
        project.deployments.create(made)
    assert len(project.deployments.list(get_all=False)) == 20
    assert len(project.deployments.list(get_all=True)) == 25


def test_everything_is_still_there_after_a_restart(tmp_path, checkout: Checkout, project, standin: Standin) -> None:
    branch(checkout, "work", model="two")
    open_request(project, "work")
    from windlass.stack import ports

    again = Standin(standin.home, f"http://127.0.0.1:{ports.choose(set())}", standin.operator_token)
    stop = serve(again)
    try:
        found = gitlab.Gitlab(again.url, private_token=standin.operator_token).projects.get("models/digits")
        assert found.web_url == f"{again.url}/models/digits"
        assert found.mergerequests.get(1).title == "Better digits"
    finally:
        stop()


def test_an_unknown_call_and_a_body_that_is_no_object_are_told_so(standin: Standin) -> None:
    headers = {"PRIVATE-TOKEN": standin.operator_token}
    assert requests.get(f"{standin.url}/api/v4/nonsense", headers=headers, timeout=5).status_code == 404
    answer = requests.post(f"{standin.url}/api/v4/projects", headers=headers, data=b"[1]", timeout=5)
    assert (answer.status_code, answer.json()) == (400, {"message": "the body is not a JSON object"})
