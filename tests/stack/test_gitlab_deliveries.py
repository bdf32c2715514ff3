"""What a delivery leaves in GitLab and finds there: deployments, environments, releases, statuses, packages."""

from typing import Any

import pytest

from tests.fakes.standin import DEVELOPER, MAINTAINER, Checkout, Company
from windlass.spec.errors import ServiceError

from .test_gitlab_people import refused

pytestmark = pytest.mark.stack


@pytest.fixture
def project(company: Company, checkout: Checkout) -> Any:
    project = company.project("models/digits", ann=DEVELOPER, mia=MAINTAINER)
    checkout.commit("Begin", readme="one")
    checkout.push("models/digits", "main")
    return project


def deploy(project: Any, environment: str, ref: str = "main", status: str = "success") -> Any:
    sha = project.commits.get(ref).id
    told = {"environment": environment, "sha": sha, "ref": ref, "tag": False, "status": status}
    return project.deployments.create(told)


def merge(project: Any, checkout: Checkout, branch: str) -> int:
    checkout.commit(f"Work on {branch}", **{branch: "one"})
    checkout.push("models/digits", branch)
    request = project.mergerequests.create({"source_branch": branch, "target_branch": "main", "title": branch})
    request.merge()
    return int(request.iid)


def test_a_deployment_knows_the_merge_requests_that_it_brought(project: Any, checkout: Checkout) -> None:
    first = merge(project, checkout, "one")
    early = deploy(project, "prod")
    second, third = merge(project, checkout, "two"), merge(project, checkout, "three")
    failed, late, dev = deploy(project, "prod", status="failed"), deploy(project, "prod"), deploy(project, "dev")
    brought = [[m.iid for m in d.mergerequests.list(get_all=True)] for d in (early, failed, late, dev)]
    assert brought == [[first], [], [third, second], [third, second, first]]


def test_a_deployment_has_its_person_and_ends_once(company: Company, project: Any) -> None:
    ann = company.api("ann").projects.get(project.id)
    deployment = deploy(ann, "dev", status="running")
    assert (deployment.user["username"], deployment.environment["name"], deployment.iid) == ("ann", "dev", 1)
    deployment.status = "success"
    deployment.save()
    deployment.status = "failed"
    assert refused(deployment.save) == 400
    assert project.environments.get(deployment.environment["id"]).last_deployment["id"] == deployment.id
    found = project.deployments.list(order_by="updated_at", sort="desc", updated_after="2020-01-01", get_all=True)
    assert [d.id for d in found] == [deployment.id]


def test_environments_are_found_stopped_and_available_again(project: Any) -> None:
    deploy(project, "review/digits-7")
    deploy(project, "prod")
    review = project.environments.list(search="review/", get_all=True)[0]
    assert (review.tier, project.environments.list(name="prod", get_all=True)[0].tier) == ("development", "production")
    assert refused(project.environments.list, search="re") == 400
    review = project.environments.get(review.id)
    assert refused(review.delete) == 403
    review.stop()
    assert [e.name for e in project.environments.list(states="available", get_all=True)] == ["prod"]
    deploy(project, "review/digits-7")
    assert project.environments.get(review.id).state == "available"
    review.stop()
    review.delete()
    assert [e.name for e in project.environments.list(get_all=True)] == ["prod"]


def test_an_environment_stops_when_its_time_is_over_or_its_branch_goes(
    company: Company, project: Any, checkout: Checkout
) -> None:
    checkout.push("models/digits", "work")
    for name in ("review/one", "review/two", "prod"):
        deploy(project, name, ref="work")
    prod = project.environments.list(name="prod", get_all=True)[0]
    prod.auto_stop_setting = "with_action"
    prod.save()
    one = project.environments.list(name="review/one", get_all=True)[0]
    company.ask("PUT", f"projects/{project.id}/environments/{one.id}", {"auto_stop_at": "2020-01-01T00:00:00.000Z"})
    states = {e.name: e.state for e in project.environments.list(get_all=True)}
    assert states == {"review/one": "stopped", "review/two": "available", "prod": "available"}
    project.branches.delete("work")
    states = {e.name: e.state for e in project.environments.list(get_all=True)}
    assert states == {"review/one": "stopped", "review/two": "stopped", "prod": "available"}


def test_an_environment_with_a_job_that_stops_it_waits_for_that_job(
    company: Company, project: Any, checkout: Checkout
) -> None:
    def arranged(name: str, **told: Any) -> Any:
        deploy(project, name)
        found = project.environments.list(name=name, get_all=True)[0]
        company.ask("PUT", f"projects/{project.id}/environments/{found.id}", told)
        return found

    def states() -> dict[str, str]:
        return {e.name: e.state for e in project.environments.list(get_all=True)}

    requests = []
    for branch in ("one", "two", "three"):
        checkout.commit(branch, **{branch: "x"})
        checkout.push("models/digits", branch)
        requests.append(project.mergerequests.create({"source_branch": branch, "target_branch": "main", "title": "x"}))
    merged, closed, gone = (
        arranged(f"review/{name}", on_stop="stop", merge_request_iid=request.iid)
        for name, request in zip(("merged", "closed", "gone"), requests, strict=True)
    )
    bare = arranged("review/bare", merge_request_iid=requests[0].iid)
    shared = arranged("dev", merge_request_iid=requests[0].iid)
    shared.auto_stop_setting = "with_action"
    shared.save()
    requests[0].merge()
    assert states() == {
        "review/merged": "stopping", "review/closed": "available", "review/gone": "available",
        "review/bare": "stopped", "dev": "available",
    }  # fmt: skip
    request = project.mergerequests.get(requests[1].iid)
    request.state_event = "close"
    request.save()
    project.branches.delete("three")
    assert [e.name for e in project.environments.list(states="stopping", get_all=True)] == [
        "review/merged", "review/closed", "review/gone",
    ]  # fmt: skip
    waiting = company.ask("GET", f"projects/{project.id}/environments")
    assert (waiting[0]["name"], waiting[0]["on_stop"]) == ("review/merged", "stop")
    assert "on_stop" not in project.environments.get(merged.id).attributes
    company.ask("PUT", f"projects/{project.id}/environments/{merged.id}", {"state": "stopped"})
    with pytest.raises(ServiceError, match="state does not have a valid value"):
        company.ask("PUT", f"projects/{project.id}/environments/{merged.id}", {"state": "gone"})
    closed.stop(force=True)
    assert {name: state for name, state in states().items() if state == "stopping"} == {"review/gone": "stopping"}
    deploy(project, "review/gone")
    assert project.environments.get(gone.id).state == "available"
    project.environments.get(gone.id).stop()
    assert project.environments.get(gone.id).state == "stopped", "its last deployment names no job"
    assert bare.id != shared.id


def test_a_release_has_links_evidence_and_one_name(project: Any) -> None:
    told = {"tag_name": "v1.0.0", "ref": "main", "description": "plan", "tag_message": "Release v1.0.0"}
    link = {"name": "manifest", "url": "https://example.org/m.json", "direct_asset_path": "/manifest.json"}
    release = project.releases.create({**told, "assets": {"links": [link]}})
    assert refused(project.releases.create, told) == 409
    assert release.assets["links"][0]["direct_asset_url"].endswith("/v1.0.0/downloads/manifest.json")
    assert (release.author["username"], len(release.evidences)) == ("root", 1)
    release.links.create({"name": "plan", "url": "https://example.org/p.html", "link_type": "runbook"})
    assert refused(release.links.create, {"name": "plan", "url": "https://example.org/other"}) == 400
    assert [one.name for one in release.links.list(get_all=True)] == ["plan", "manifest"]
    release.links.get(1).delete()
    release.description = "another"
    release.save()
    assert project.releases.get("v1.0.0").description == "another"
    tag = project.tags.get("v1.0.0")
    assert (tag.release["description"], tag.message) == ("another", "Release v1.0.0")


def test_a_status_is_set_anew_not_twice(company: Company, project: Any) -> None:
    commit = company.api("ann").projects.get(project.id).commits.get("main")
    for state in ("running", "success"):
        commit.statuses.create({"state": state, "name": "windlass/prod", "description": state})
    commit.statuses.create({"state": "failed", "context": "windlass/dev"})
    found = [(s.name, s.status, s.author["username"]) for s in commit.statuses.list(get_all=True)]
    assert found == [("windlass/prod", "success", "ann"), ("windlass/dev", "failed", "ann")]
    assert refused(commit.statuses.create, {"state": "fine"}) == 400


def test_variables_are_told_to_maintainers_by_scope(company: Company, project: Any) -> None:
    for scope in ("dev", "prod"):
        told = {"key": "AWS_KEY", "value": f"secret-of-{scope}", "environment_scope": scope, "masked": True}
        project.variables.create({**told, "protected": scope == "prod"})
    project.variables.create({"key": "PASSWORD", "value": "very-secret", "masked_and_hidden": True})
    assert refused(project.variables.create, {"key": "AWS_KEY", "value": "12345678", "environment_scope": "dev"}) == 400
    assert refused(project.variables.create, {"key": "SHORT", "value": "short", "masked": True}) == 400
    mia = company.api("mia").projects.get(project.id)
    found = [(v.key, v.environment_scope, v.value, v.protected) for v in mia.variables.list(get_all=True)]
    assert found == [
        ("AWS_KEY", "dev", "secret-of-dev", False),
        ("AWS_KEY", "prod", "secret-of-prod", True),
        ("PASSWORD", "*", None, False),
    ]
    assert refused(mia.variables.get, "AWS_KEY") == 409
    assert mia.variables.get("AWS_KEY", filter={"environment_scope": "dev"}).value == "secret-of-dev"
    assert refused(company.api("ann").projects.get(project.id).variables.list) == 403
    group = company.root.groups.get("models")
    group.variables.create({"key": "SHARED", "value": "for all of them"})
    assert [variable.key for variable in group.variables.list(get_all=True)] == ["SHARED"]
    assert refused(company.api("mia").groups.get(group.id).variables.list) == 403


def test_runners_are_known_by_their_tags(company: Company, project: Any) -> None:
    for tags in (["gpu", "large"], ["cpu"]):
        told = {"runner_type": "project_type", "project_id": project.id, "tag_list": tags, "description": tags[0]}
        company.root.http_post("/user/runners", post_data=told)
    assert [r.description for r in project.runners.list(tag_list="gpu", get_all=True)] == ["gpu"]
    runner = company.root.runners.get(project.runners.list(get_all=True)[1].id)
    assert (runner.tag_list, runner.run_untagged) == (["cpu"], True)  # as GitLab has it unless told otherwise


def test_a_resource_group_is_there_after_a_job_has_used_it(company: Company, project: Any) -> None:
    assert refused(project.resource_groups.get, "prod") == 404
    about = {"ref": "main", "sha": project.commits.get("main").id, "user": "mia"}
    pipeline = company.ask("POST", f"projects/{project.id}/pipelines", about)
    company.ask("POST", f"pipelines/{pipeline['id']}/jobs", {"name": "promote", "resource_group": "prod"})
    group = project.resource_groups.get("prod")
    assert group.process_mode == "unordered"
    group.process_mode = "oldest_first"
    group.save()
    assert project.resource_groups.get("prod").process_mode == "oldest_first"


def test_packages_are_uploaded_and_come_back_whole(project: Any) -> None:
    for content in (b"old", b"\x00weights\xff"):
        project.generic_packages.upload("model", "1.0.0", "model.bin", data=content)
    assert project.generic_packages.download("model", "1.0.0", "model.bin") == b"\x00weights\xff"
    [package] = project.packages.list(get_all=True)
    assert [file.size for file in package.package_files.list(get_all=True)] == [3, 9]


def test_schedules_and_lint(project: Any) -> None:
    told = {"description": "monitor", "ref": "main", "cron": "0 6 * * *"}
    schedule = project.pipelineschedules.create(told)
    assert (schedule.owner["username"], schedule.active) == ("root", True)
    assert project.ci_lint.create({"content": "a: {script: [b]}"}).valid
    assert not project.ci_lint.create({"content": "a: [b"}).valid
