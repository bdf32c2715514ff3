"""Jobs and their tokens: what GitLab lets a job do, and not a call more."""

import re
from typing import Any

import pytest
import requests

from tests.fakes.standin import DEVELOPER, MAINTAINER, Checkout, Company
from windlass.spec.errors import ServiceError
from windlass.stack.gitlab import job_tokens
from windlass.stack.gitlab.app import RESOURCES
from windlass.stack.publish import Remote

from .test_gitlab_people import refused

pytestmark = pytest.mark.stack


@pytest.fixture
def project(company: Company, checkout: Checkout) -> Any:
    """models/digits with main and an open merge request of ann's."""
    project = company.project("models/digits", ann=DEVELOPER, mia=MAINTAINER)
    checkout.commit("Begin", readme="one")
    checkout.push("models/digits", "main")
    checkout.commit("Work", model="one")
    checkout.push_as(company.remote("ann"), "models/digits", "refs/heads/work")
    opened = {"source_branch": "work", "target_branch": "main", "title": "Better digits"}
    company.api("ann").projects.get(project.id).mergerequests.create(opened)
    return project


def head(project: Any, branch: str = "main") -> str:
    return str(project.branches.get(branch).commit["id"])


def test_a_job_knows_whose_it_is_and_for_what_it_runs(company: Company, project: Any) -> None:
    project.tags.create({"tag_name": "v1.0.0", "ref": "main"})
    with company.job_api(project, "mia", "v1.0.0", head(project), tag=True) as job:
        told = job.http_get("/job")
        assert (told["user"]["username"], told["ref"], told["tag"]) == ("mia", "v1.0.0", True)
        assert told["commit"]["id"] == told["pipeline"]["sha"] == head(project)
        assert (told["pipeline"]["project_id"], told["status"]) == (project.id, "running")
        assert refused(job.http_get, "/user") == 401
    assert refused(job.http_get, "/job") == 401  # its token ends with it
    assert refused(company.root.http_get, "/job") == 401
    assert "token" not in project.jobs.list(get_all=True)[0].attributes


def test_a_job_reads_and_delivers_as_gitlab_lets_it(company: Company, project: Any) -> None:
    project.tags.create({"tag_name": "v1.0.0", "ref": "main"})
    commit = head(project)
    with company.job_api(project, "ann", "main", commit) as api:
        job = api.projects.get(project.id, lazy=True)
        request = job.mergerequests.get(1)
        assert (request.title, job.mergerequests.list(get_all=True)[0].iid) == ("Better digits", 1)
        assert request.notes.list(get_all=True) == []
        work = head(project, "work")
        assert [found["iid"] for found in job.commits.get(work).merge_requests()] == [1]
        assert [branch.name for branch in job.branches.list(get_all=True)] == ["main", "work"]
        assert [tag.name for tag in job.tags.list(get_all=True)] == ["v1.0.0"]
        assert job.files.raw("readme", ref="main") == b"one"
        release = job.releases.create({"tag_name": "v1.0.0", "description": "the first"})
        release.links.create({"name": "manifest", "url": "https://example.org/manifest.json"})
        assert job.releases.get("v1.0.0").assets["links"][0]["name"] == "manifest"
        deployed = {"environment": "dev", "sha": commit, "ref": "main", "tag": False, "status": "running"}
        deployment = job.deployments.create(deployed)
        deployment.status = "success"
        deployment.save()
        assert job.deployments.get(deployment.id).user["username"] == "ann"
        assert [e.name for e in job.environments.list(get_all=True)] == ["dev"]
        job.generic_packages.upload("model", "1.0.0", "model.bin", data=b"weights")


REFUSED = [
    lambda job: job.mergerequests.get(1, lazy=True).approvals.get(),
    lambda job: job.mergerequests.get(1, lazy=True).approve(),
    lambda job: job.mergerequests.get(1, lazy=True).merge(),
    lambda job: job.mergerequests.get(1, lazy=True).notes.create({"body": "plan"}),
    lambda job: job.mergerequests.get(1, lazy=True).diffs.list(),
    lambda job: job.mergerequests.create({"source_branch": "main", "target_branch": "work", "title": "x"}),
    lambda job: job.tags.create({"tag_name": "v9.0.0", "ref": "main"}),
    lambda job: job.tags.get("v1.0.0"),
    lambda job: job.branches.get("main"),
    lambda job: job.commits.list(),
    lambda job: job.commits.get("main", lazy=True).statuses.create({"state": "success"}),
    lambda job: job.files.get("readme", ref="main"),
    lambda job: job.protectedbranches.list(),
    lambda job: job.protectedtags.list(),
    lambda job: job.members_all.list(),
    lambda job: job.variables.list(),
    lambda job: job.pipelines.list(),
    lambda job: job.manager.get(job.get_id()),
]


def test_what_gitlab_does_not_let_jobs_do_is_refused(company: Company, project: Any) -> None:
    with company.job_api(project, "mia", "main", head(project)) as api:
        for call in REFUSED:
            assert refused(call, api.projects.get(project.id, lazy=True)) in (401, 404)


def test_every_call_is_refused_to_jobs_but_those_of_gitlabs_table(company: Company, project: Any) -> None:
    values = {"project": str(project.id), "iid": "1", "sha": head(project), "tag": "v1.0.0", "branch": "main"}
    counted = 0
    with company.job(project, "root", "main", head(project)) as token:
        for route in (route for resource in RESOURCES for route in resource.ROUTES):
            path = route.path
            for name in re.findall(r"\{(\w+)\}", route.path):
                path = path.replace("{" + name + "}", values.get(name, "1"))
            url = f"{company.standin.url}/api/v4{path}"
            if not job_tokens.allows(route.method, route.path):
                answer = requests.request(route.method, url, headers={"JOB-TOKEN": token}, json={}, timeout=10)
                expected = 404 if route.method == "GET" and "{project}" in route.path else 401
                assert answer.status_code == expected, (route.method, route.path, answer.text)
                counted += 1
    assert counted > 80


def test_the_table_names_no_call_twice_and_the_stand_in_has_most_of_them() -> None:
    lines = job_tokens.ALLOWED.strip().splitlines()
    assert len(set(lines)) == len(lines)
    served = {job_tokens.shape(route.method, route.path) for resource in RESOURCES for route in resource.ROUTES}
    missing = {line for line in lines if job_tokens.shape(*line.split()) not in served}
    assert missing == {
        "GET /projects/:id/repository/changelog",
        "POST /projects/:id/deployments/:deployment_id/approval",
        "PUT /projects/:id/pipelines/:pipeline_id/metadata",
        "POST /projects/:id/trigger/pipeline",
    }


def test_a_job_has_no_more_rights_than_its_user(company: Company, project: Any) -> None:
    company.join("rob", project, 20)
    with company.job_api(project, "rob", "main", head(project)) as api:
        job = api.projects.get(project.id, lazy=True)
        deployed = {"environment": "prod", "sha": head(project), "ref": "main", "tag": False, "status": "success"}
        assert refused(job.deployments.create, deployed) == 403
        assert job.deployments.list(get_all=True) == []


def test_a_jobs_token_counts_in_its_own_project_and_where_that_is_on_the_allowlist(
    company: Company, project: Any
) -> None:
    other = company.project("platform/environments", ann=DEVELOPER)
    group = company.root.groups.get("models")
    with company.job_api(project, "ann", "main", head(project)) as api:
        there = api.projects.get(other.id, lazy=True)
        assert refused(there.deployments.list) == 404
        scope = other.job_token_scope.get()
        scope.allowlist.create({"target_project_id": project.id})
        assert there.deployments.list(get_all=True) == []
        scope.allowlist.delete(project.id)
        assert refused(there.deployments.list) == 404
        scope.groups_allowlist.create({"target_group_id": group.id})
        assert there.deployments.list(get_all=True) == []
        assert [one.full_path for one in scope.groups_allowlist.list(get_all=True)] == ["models"]
        scope.groups_allowlist.delete(group.id)
        assert refused(there.deployments.list) == 404
        scope.enabled = False
        scope.save()
        assert there.deployments.list(get_all=True) == []
        scope.enabled = True
        scope.save()
    with company.job_api(project, "mia", "main", head(project)) as api:  # who has no role there has none by a job
        assert refused(api.projects.get(other.id, lazy=True).deployments.list) == 404


def test_a_job_pushes_only_where_the_project_lets_it_and_as_its_user(
    company: Company, project: Any, checkout: Checkout
) -> None:
    with company.job(project, "ann", "main", head(project)) as token:
        job = Remote(company.standin.url, token, "gitlab-ci-token")
        with pytest.raises(ServiceError, match="403"):
            checkout.push_as(job, "models/digits", "refs/heads/by-job")
        project.ci_push_repository_for_job_token_allowed = True
        project.save()
        checkout.push_as(job, "models/digits", "refs/heads/by-job")
        with pytest.raises(ServiceError, match="protected branches"):
            checkout.push_as(job, "models/digits", "refs/heads/main")
    with pytest.raises(ServiceError):
        checkout.push_as(job, "models/digits", "refs/heads/later")


def test_pipelines_and_jobs_are_listed_by_what_they_are_for(company: Company, project: Any) -> None:
    with company.job(project, "ann", "work", head(project, "work")):
        pass
    with company.job(project, "mia", "main", head(project)):
        assert [(p.ref, p.status) for p in project.pipelines.list(get_all=True)] == [
            ("main", "running"),
            ("work", "failed"),
        ]
        assert [p.ref for p in project.pipelines.list(username="ann", get_all=True)] == ["work"]
        assert [p.ref for p in project.pipelines.list(order_by="id", sort="asc", get_all=True)] == ["work", "main"]
        assert project.pipelines.latest(ref="main").user["username"] == "mia"
        pipeline = project.pipelines.list(ref="main", get_all=True)[0]
        assert [job.status for job in pipeline.jobs.list(get_all=True)] == ["running"]
        assert [job.status for job in project.jobs.list(scope=["failed"], get_all=True)] == ["failed"]
        assert project.commits.get("main").last_pipeline["id"] == pipeline.id


def test_only_the_operator_starts_pipelines(company: Company, project: Any) -> None:
    url = f"{company.standin.url}/-/standin/projects/{project.id}/pipelines"
    body = {"ref": "main", "sha": head(project), "user": "mia"}
    for token in (company.token("mia"), "wrong"):
        answer = requests.post(url, json=body, headers={"PRIVATE-TOKEN": token}, timeout=10)
        assert answer.status_code in (401, 403)
    with company.job(project, "root", "main", head(project)) as token:
        assert requests.post(url, json=body, headers={"JOB-TOKEN": token}, timeout=10).status_code in (401, 403)
