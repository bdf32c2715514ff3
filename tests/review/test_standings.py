# ruff: noqa: F811 - a fixture is imported under the name that tests take it by
"""Which merge requests are open: asked of the stand-in for GitLab, and of one that answers something else."""

from typing import Any

import pytest

from tests.fakes.http_stub import http_stub
from tests.fakes.standin import DEVELOPER, MAINTAINER, Checkout, Company
from tests.stack.conftest import checkout, company, remote, standin  # noqa: F401 - fixtures
from windlass.adapters.gitlab.connection import Connection, connection_in_ci
from windlass.adapters.gitlab.merge_request import standings
from windlass.spec.errors import ServiceError

pytestmark = pytest.mark.stack


def test_each_merge_request_is_what_gitlab_says_and_of_others_nothing_is_said(
    company: Company,
    checkout: Checkout,
) -> None:
    project = company.project("models/digits", ann=DEVELOPER, mia=MAINTAINER)
    checkout.commit("Begin", readme="one")
    checkout.push("models/digits", "main")
    requests = []
    for branch in ("one", "two", "three"):
        checkout.commit(branch, **{branch: "x"})
        checkout.push_as(company.remote("ann"), "models/digits", f"refs/heads/{branch}")
        opened = {"source_branch": branch, "target_branch": "main", "title": branch}
        requests.append(company.api("ann").projects.get(project.id).mergerequests.create(opened))
    project.mergerequests.get(requests[0].iid).merge()
    closed = project.mergerequests.get(requests[2].iid)
    closed.state_event = "close"
    closed.save()
    connection = Connection(company.api("ann"), "models/digits", sleep=lambda seconds: None)
    assert standings(connection, [3, 1, 2, 2, 99]) == {1: "merged", 2: "open", 3: "closed"}
    assert standings(connection, [3]) == {3: "closed"}
    assert standings(connection, []) == {}


@pytest.mark.parametrize(
    "answer", [[{"iid": 7, "state": "eaten"}], [{"iid": 8, "state": "closed"}], [{"state": "closed"}], {"iid": 7}]
)
def test_an_answer_that_is_not_gitlabs_closes_nothing(answer: Any) -> None:
    with http_stub(lambda request: (200, answer)) as stub:
        given = {"CI_SERVER_URL": stub.url, "CI_PROJECT_ID": "1", "CI_JOB_TOKEN": "t"}
        connection = connection_in_ci(given, sleep=lambda seconds: None)
        assert connection is not None
        with pytest.raises(ServiceError, match="is not GitLab's"):
            standings(connection, [7])
