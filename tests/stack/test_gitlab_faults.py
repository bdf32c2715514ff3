"""Pages, rate limits and faults on order: what a patient client meets."""

from typing import Any

import gitlab
import pytest
import requests

from tests.fakes.standin import Checkout, Company
from windlass.stack.gitlab.faults import Fault

from .test_gitlab_people import refused

pytestmark = pytest.mark.stack


@pytest.fixture
def project(company: Company, checkout: Checkout) -> Any:
    project = company.project("models/digits")
    checkout.commit("Begin", readme="one")
    checkout.push("models/digits", "main")
    return project


def get(company: Company, path: str, **parameters: Any) -> requests.Response:
    headers = {"PRIVATE-TOKEN": company.standin.operator_token}
    return requests.get(f"{company.standin.url}/api/v4/{path}", params=parameters, headers=headers, timeout=10)


def test_pages_tell_of_their_neighbours(company: Company) -> None:
    for number in range(5):
        company.project(f"models/m{number}")
    page = get(company, "projects", per_page=2, page=2)
    names = ("X-Total", "X-Total-Pages", "X-Page", "X-Per-Page", "X-Prev-Page", "X-Next-Page")
    assert [page.headers[name] for name in names] == ["5", "3", "2", "2", "1", "3"]
    assert set(page.links) == {"first", "prev", "next", "last"}
    last = get(company, "projects", per_page=2, page=3)
    assert (last.headers["X-Next-Page"], set(last.links)) == ("", {"first", "prev", "last"})


def test_keyset_pages_lead_to_the_end_without_a_count_where_gitlab_has_them(company: Company) -> None:
    for number in range(5):
        company.project(f"models/m{number}")
    page = get(company, "projects", per_page=2, pagination="keyset", order_by="id")
    assert "X-Total" not in page.headers
    found = company.root.projects.list(iterator=True, per_page=2, pagination="keyset", order_by="id")
    assert len({project.id for project in found}) == 5
    assert get(company, "groups/models/members", pagination="keyset").status_code == 405


def test_a_limited_call_says_when_to_come_again(company: Company, project: Any) -> None:
    company.standin.faults.order(Fault("limited", method="GET", path="/api/v4/projects", retry_after=3, times=2))
    answer = get(company, f"projects/{project.id}")
    assert (answer.status_code, answer.headers["Retry-After"], answer.headers["RateLimit-Remaining"]) == (429, "3", "0")
    assert answer.text == "Retry later\n"
    assert refused(company.root.projects.get, project.id, obey_rate_limit=False) == 429
    assert company.root.projects.get(project.id, obey_rate_limit=False).id == project.id
    assert company.standin.faults.met == [f"limited GET /api/v4/projects/{project.id}"] * 2


def test_a_broken_call_does_nothing(company: Company, project: Any) -> None:
    company.standin.faults.order(Fault("broken", method="POST", status=502))
    assert refused(project.environments.create, {"name": "dev"}) == 502
    assert project.environments.list(get_all=True) == []


def test_a_lost_answer_is_one_to_a_call_that_was_done(company: Company, project: Any) -> None:
    company.standin.faults.order(Fault("lost", method="POST", path="/environments$"))
    with pytest.raises(requests.RequestException):
        project.environments.create({"name": "dev"})
    assert [environment.name for environment in project.environments.list(get_all=True)] == ["dev"]


def test_a_silent_call_does_nothing_and_the_client_gives_up(company: Company, project: Any) -> None:
    company.standin.faults.order(Fault("silent", method="POST"))
    hasty = gitlab.Gitlab(company.standin.url, private_token=company.standin.operator_token, timeout=0.3)
    with pytest.raises(requests.RequestException):
        hasty.projects.get(project.id, lazy=True).environments.create({"name": "dev"})
    assert project.environments.list(get_all=True) == []


def test_git_meets_faults_too(company: Company, project: Any, checkout: Checkout) -> None:
    company.standin.faults.order(Fault("broken", path="git-receive-pack"))
    checkout.commit("Work", readme="two")
    with pytest.raises(Exception, match="503"):
        checkout.push("models/digits", "work")
    checkout.push("models/digits", "work")


def test_the_operator_of_a_running_stand_in_orders_faults_by_a_call_outside_the_api(
    company: Company, project: Any
) -> None:
    company.ask("POST", "faults", {"kind": "broken", "path": "/environments", "status": 500})
    assert company.ask("GET", "faults")["ordered"][0]["kind"] == "broken"
    assert refused(project.environments.list, retry_transient_errors=False) == 500
    company.ask("POST", "faults", {"kind": "limited", "times": 9})
    company.ask("DELETE", "faults")
    assert company.ask("GET", "faults") == {"ordered": [], "met": []}
    with pytest.raises(Exception, match="no such kind of fault"):
        company.ask("POST", "faults", {"kind": "odd"})
    headers = {"PRIVATE-TOKEN": company.token("ann")}
    assert requests.get(f"{company.standin.url}/-/standin/faults", headers=headers, timeout=10).status_code == 403
