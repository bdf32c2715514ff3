"""What windlass tells GitLab, told to the stand-in: with the rights that tokens have there."""

from typing import Any

import pytest

from tests.fakes.standin import DEVELOPER, Checkout, Company
from windlass.adapters.gitlab.connection import Connection, connection_in_ci
from windlass.adapters.gitlab.deployment import record_deployment
from windlass.adapters.gitlab.environment import keep_running
from windlass.adapters.gitlab.note import keep_note, note_text
from windlass.adapters.gitlab.release import keep_file, keep_release
from windlass.adapters.gitlab.status import keep_status
from windlass.spec.errors import ServiceError

pytestmark = pytest.mark.stack
MARK = "plan:digits:dev"


@pytest.fixture
def project(company: Company, checkout: Checkout) -> Any:
    project = company.project("models/digits", ann=DEVELOPER, bot=DEVELOPER)
    checkout.commit("Begin", readme="one")
    checkout.push("models/digits", "main")
    return project


def connected(company: Company, project: Any, job: str, user: str | None = None) -> Connection:
    variables = {"CI_SERVER_URL": company.standin.url, "CI_PROJECT_ID": str(project.id), "CI_JOB_TOKEN": job}
    variables |= {"WINDLASS_GITLAB_TOKEN": company.token(user)} if user else {}
    found = connection_in_ci(variables, sleep=lambda seconds: None)
    assert found is not None
    return found


def test_a_jobs_token_is_enough_for_all_but_note_and_status(company: Company, project: Any) -> None:
    sha = project.commits.get("main").id
    project.tags.create({"tag_name": "v1", "ref": "main"})
    with company.job(project, "ann", "main", sha) as job:
        for is_first in (True, False):
            gitlab = connected(company, project, job)
            assert record_deployment(gitlab, "prod", sha, "v1", is_tag=True) is is_first
            asset = keep_file(gitlab, "windlass", "abcdef123456", "digits-manifest.json", b"{}")
            assert keep_release(gitlab, "v1", "notes", asset) is is_first
            assert keep_running(gitlab, "prod") is is_first
        with pytest.raises(ServiceError, match="a commit status"):
            keep_status(gitlab, sha, "windlass/prod", {})
        for is_first in (True, False):
            assert keep_status(connected(company, project, job, "bot"), sha, "windlass/prod", {}) is is_first
    assert len(project.deployments.list(get_all=True)) == 1
    (release,) = project.releases.list(get_all=True)
    assert [link["name"] for link in release.assets["links"]] == ["digits-manifest.json"]
    (package,) = project.packages.list(get_all=True)
    assert len(package.package_files.list(get_all=True)) == 1
    assert [one.name for one in project.commits.get(sha).statuses.list(get_all=True) if "/" in one.name] == [
        "windlass/prod"
    ]
    assert project.environments.list(name="prod", get_all=True)[0].auto_stop_setting == "with_action"


def test_the_note_of_a_busy_merge_request_is_the_bots_and_there_once(
    company: Company, project: Any, checkout: Checkout
) -> None:
    sha = checkout.commit("Work", work="one")
    checkout.push("models/digits", "work")
    request = project.mergerequests.create({"source_branch": "work", "target_branch": "main", "title": "Work"})
    ann = company.api("ann").projects.get(project.id).mergerequests.get(request.iid)
    ann.notes.create({"body": note_text(MARK, 10**9, "forged")})
    with company.job(project, "ann", "work", sha) as job:
        with pytest.raises(ServiceError):
            keep_note(connected(company, project, job), request.iid, MARK, 1, "one")
        assert keep_note(connected(company, project, job, "bot"), request.iid, MARK, 1, "one") == "made"
        for number in range(5):
            ann.notes.create({"body": f"word {number}"})
        assert keep_note(connected(company, project, job, "bot"), request.iid, MARK, 2, "two") == "updated"
        assert keep_note(connected(company, project, job, "bot"), request.iid, MARK, 2, "two") == "unchanged"
    notes = [one for one in request.notes.list(get_all=True) if MARK in one.body]
    assert sorted((one.author["username"], one.body) for one in notes) == [
        ("ann", note_text(MARK, 10**9, "forged")),
        ("bot", note_text(MARK, 2, "two")),
    ]
