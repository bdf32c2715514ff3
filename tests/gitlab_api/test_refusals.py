# ruff: noqa: F811 - a fixture is imported under the name that tests take it by
"""What GitLab refuses for its parameters, the stand-in refuses too: one value or one name after the other."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
import requests

from tests.fakes.standin import MAINTAINER, Checkout, Company
from tests.gitlab_api.published import BELOW, Published, calls, shape, table
from tests.gitlab_api.test_routes import read_by
from tests.stack.conftest import checkout, company, remote, standin  # noqa: F401 - fixtures
from windlass.stack.gitlab import app

pytestmark = pytest.mark.stack

NONSENSE = "nonsense"


@dataclass
class Furnished:
    """A project that has one of everything; `names` are what stands for the parts of a path."""

    url: str
    token: str
    names: dict[str, str]

    def ask(self, call: Published, query: dict[str, Any], body: dict[str, Any]) -> requests.Response:
        path = call.path
        kind = "groups" if path.startswith("/groups") else "projects"
        for part, value in {**self.names, "id": self.names[kind]}.items():
            path = path.replace(f"{{{part}}}", value)
        address, headers = f"{self.url}{BELOW}{path}", {"PRIVATE-TOKEN": self.token}
        return requests.request(call.method, address, params=query, json=body or None, headers=headers, timeout=20)


@pytest.fixture
def furnished(company: Company, checkout: Checkout) -> Furnished:
    project = company.project("models/digits", mia=MAINTAINER)
    commit = checkout.commit("Begin", readme="one")
    checkout.push("models/digits", "main")
    checkout.commit("Work", readme="two")
    checkout.push("models/digits", "work")
    request = project.mergerequests.create({"source_branch": "work", "target_branch": "main", "title": "Work"})
    note = request.notes.create({"body": "well"})
    project.tags.create({"tag_name": "v1", "ref": "main"})
    release = project.releases.create({"tag_name": "v1"})
    link = release.links.create({"name": "plan", "url": "https://example.org/plan"})
    project.variables.create({"key": "KEY", "value": "value"})
    deployed = {"environment": "dev", "sha": commit, "ref": "main", "tag": False, "status": "running"}
    deployment = project.deployments.create(deployed)
    group = company.root.groups.get("models")
    group.variables.create({"key": "KEY", "value": "value"})
    group.members.create({"user_id": company.user("mia").id, "access_level": MAINTAINER})
    project.protectedbranches.create({"name": "release/*"})
    names = {
        "projects": str(project.id),
        "groups": str(group.id),
        "user_id": str(company.user("mia").id),
        "merge_request_iid": str(request.iid),
        "noteable_id": str(request.iid),
        "note_id": str(note.id),
        "sha": commit,
        "tag_name": "v1",
        "link_id": str(link.id),
        "key": "KEY",
        "deployment_id": str(deployment.id),
        "environment_id": str(project.environments.list(get_all=True)[0].id),
        "name": "release%2F%2A",
        "file_path": "readme",
    }
    with company.pipeline(project, "root", {"ref": "main", "sha": commit}) as started:
        names["pipeline_id"] = str(started.pipeline["id"])
    return Furnished(company.standin.url, company.standin.operator_token, names)


NOT_HERE = {
    "/projects/{id}/resource_groups/{key}": "a resource group is made by a job",
    "/projects/{id}/packages/generic/{package_name}/{package_version}/{file_name}": "the body is the file",
    "/projects/{id}/pipeline_schedules/{pipeline_schedule_id}": "none is kept here",
}
"""Calls whose path leads nowhere in a furnished project."""

NO_ORDER = {"label_priority", "milestone_due", "popularity", "priority"}
"""The stand-in has no milestones, no reactions and no labels that go first."""


def valid(call: Published, parameters: dict[str, Any]) -> dict[str, Any]:
    """A value for each parameter that must be given."""
    plain = {"boolean": False, "integer": 1, "[string]": ["api"], "date-time": "2020-01-01T00:00:00Z"}
    found = {}
    for name in call.required:
        kind = parameters.get(name)
        if kind is not None:
            found[name] = kind[0] if isinstance(kind, list) else plain.get(kind, "main")
    return found


@cache
def reads() -> dict[tuple[str, str], set[str]]:
    """What the module that answers a call reads, for this call or another."""
    return {
        (route.method, shape(route.path)): read_by(module) | {"sort"}
        for module in app.RESOURCES
        for route in module.ROUTES
    }


def asked() -> list[Published]:
    return [call for call in calls().values() if call.path not in NOT_HERE]


def test_what_must_be_given_is_missed(furnished: Furnished) -> None:
    taken = []
    for call in asked():
        query, body = valid(call, call.query), valid(call, call.body)
        for name in call.required:
            without = ({key: value for key, value in part.items() if key != name} for part in (query, body))
            status = furnished.ask(call, *without).status_code
            if status != 400:
                taken.append(f"{call.method} {call.path} without {name}: {status}")
    assert taken == []


def test_a_value_that_there_is_not_is_refused_where_the_stand_in_looks_at_it(furnished: Furnished) -> None:
    taken = []
    for call in asked():
        read = reads()[call.method, call.shape]
        for part in ("query", "body"):
            parameters = getattr(call, part)
            for name in (name for name, kind in parameters.items() if isinstance(kind, list) and name in read):
                query, body = valid(call, call.query), valid(call, call.body)
                (query if part == "query" else body)[name] = NONSENSE
                status = furnished.ask(call, query, body).status_code
                if status != 400:
                    taken.append(f"{call.method} {call.path} with {name}={NONSENSE}: {status}")
    assert taken == []


def test_a_value_that_there_is_is_taken(furnished: Furnished) -> None:
    refused = []
    for call in asked():
        for name, kind in call.query.items():
            is_looked_at = isinstance(kind, list) and name in reads()[call.method, call.shape]
            for value in kind if is_looked_at else []:
                status = furnished.ask(call, {**valid(call, call.query), name: value}, {}).status_code
                if status == 400 and value not in NO_ORDER:
                    refused.append(f"{call.method} {call.path} with {name}={value}")
    assert refused == []


@pytest.mark.parametrize("iids", [{"iids": "1,7"}, {"iids[]": ["1", "7"]}])
def test_a_list_is_sent_with_commas_or_one_by_one(furnished: Furnished, iids: dict[str, Any]) -> None:
    listed = furnished.ask(calls()["GET", "/projects/{}/merge_requests"], iids, {})
    assert [one["iid"] for one in listed.json()] == [1]
    base = furnished.ask(calls()["GET", "/projects/{}/repository/merge_base"], {"refs": "main,work"}, {})
    assert base.json()["id"] == furnished.names["sha"]


def test_the_stand_in_tells_nothing_that_gitlab_does_not_tell(furnished: Furnished) -> None:
    told = []
    for call in asked():
        entity = (call.gives or "").removesuffix("[]")
        noted = table()["entities"].get(entity)
        if call.method == "GET" and noted and "more" not in noted:
            response = furnished.ask(call, valid(call, call.query), {})
            answer = response.json() if response.ok else []
            for one in answer if isinstance(answer, list) else [answer]:
                told += [
                    f"{call.method} {call.path} tells {name}" for name in sorted(set(one) - set(noted["attributes"]))
                ]
    assert sorted(set(told)) == []
