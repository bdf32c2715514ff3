"""Deployments, releases with their file, statuses and the setting of an environment: each is made once."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.fakes.gitlab_server import GitlabServer, connected
from tests.fakes.http_stub import Stub, http_stub
from windlass.adapters.gitlab.connection import Connection
from windlass.adapters.gitlab.deployment import record_deployment
from windlass.adapters.gitlab.environment import keep_running
from windlass.adapters.gitlab.release import Asset, keep_file, keep_release
from windlass.adapters.gitlab.status import keep_status
from windlass.spec.errors import ServiceError, TransientError

ONE, TWO = "1" * 40, "2" * 40
ASSET = Asset("manifest.json", "https://x/manifest.json")

CALLS: dict[str, Callable[[Connection], Any]] = {
    "deployment": lambda gitlab: record_deployment(gitlab, "prod", ONE, "v1", is_tag=True),
    "release": lambda gitlab: keep_release(gitlab, "v1", "notes", ASSET),
    "file": lambda gitlab: keep_file(gitlab, "windlass", "abc", "manifest.json", b"{}"),
    "status": lambda gitlab: keep_status(gitlab, ONE, "windlass/prod", {}),
    "environment": lambda gitlab: keep_running(gitlab, "prod"),
}


@pytest.fixture
def server() -> GitlabServer:
    return GitlabServer()


@pytest.fixture
def stub(server: GitlabServer) -> Iterator[Stub]:
    with http_stub(server.answer) as stub:
        yield stub


def test_a_deployment_is_recorded_once_and_again_after_another_one(server: GitlabServer, stub: Stub) -> None:
    def record(commit: str, environment: str = "prod") -> bool:
        return record_deployment(connected(stub, token=None), environment, commit, "v1", is_tag=True)

    assert [record(ONE), record(ONE), record(TWO), record(ONE), record(ONE)] == [True, False, True, True, False]
    assert record(ONE, "stage")
    server.deployments.append({**server.deployments[0], "id": 99, "status": "failed"})
    assert not record(ONE), "one that failed is none"
    first = {"environment": "prod", "sha": ONE, "ref": "v1", "tag": True, "status": "success"}
    assert server.deployments[0] == {"id": 1, **first}
    assert len(server.deployments) == 5


def test_a_release_is_made_once_with_its_asset(server: GitlabServer, stub: Stub) -> None:
    assert keep_release(connected(stub, token=None), "v1/x", "notes", ASSET)
    assert not keep_release(connected(stub, token=None), "v1/x", "other notes", ASSET)
    link = {"name": "manifest.json", "url": "https://x/manifest.json", "link_type": "other"}
    assert server.releases == {"v1/x": {"tag_name": "v1/x", "description": "notes", "links": [link]}}


def test_a_release_that_lacks_the_asset_gets_it_once(server: GitlabServer, stub: Stub) -> None:
    assert keep_release(connected(stub), "v1", "notes", None)
    for _ in range(2):
        assert not keep_release(connected(stub), "v1", "notes", ASSET)
        assert [link["name"] for link in server.releases["v1"]["links"]] == ["manifest.json"]


def test_a_release_that_was_made_although_the_answer_was_lost_is_not_made_again(
    server: GitlabServer, stub: Stub
) -> None:
    server.point, server.is_done = 1, True
    assert not keep_release(connected(stub), "v1", "notes", ASSET)
    assert server.calls == ["GET v1", "POST releases", "GET v1"]


def test_a_release_that_somebody_else_makes_at_the_same_time_gets_the_asset(server: GitlabServer, stub: Stub) -> None:
    def other(call: str) -> None:
        if call == "POST releases" and not server.releases:
            server.releases["v1"] = {"tag_name": "v1", "description": "by hand", "links": []}

    server.meanwhile = other
    assert not keep_release(connected(stub), "v1", "notes", ASSET)
    assert server.releases["v1"]["description"] == "by hand"
    assert [link["name"] for link in server.releases["v1"]["links"]] == ["manifest.json"]


def test_a_file_is_uploaded_once_and_its_address_is_the_registrys(server: GitlabServer, stub: Stub) -> None:
    for _ in range(2):
        asset = keep_file(connected(stub, token=None), "windlass", "abc", "manifest.json", b"{}")
    there = "projects/42/packages/generic/windlass/abc/manifest.json"
    assert asset == Asset("manifest.json", f"{stub.url}/api/v4/{there}")
    assert [name for name, _ in server.files] == ["windlass/abc/manifest.json"]


def test_a_status_is_given_once_and_not_with_a_jobs_token(server: GitlabServer, stub: Stub) -> None:
    described = {"description": "is in prod", "pipeline_id": 9}
    server.statuses.append({"id": 1, "sha": ONE, "name": "windlass/prod", "status": "failed"})
    assert keep_status(connected(stub), ONE, "windlass/prod", described)
    assert not keep_status(connected(stub), ONE, "windlass/prod", described)
    assert keep_status(connected(stub), ONE, "windlass/stage", {})
    assert [(one["name"], one["status"]) for one in server.statuses[1:]] == [
        ("windlass/prod", "success"),
        ("windlass/stage", "success"),
    ]
    assert server.statuses[1]["pipeline_id"] == 9
    with pytest.raises(ServiceError, match="set WINDLASS_GITLAB_TOKEN"):
        keep_status(connected(stub, token=None), ONE, "windlass/prod", {})


def test_an_environment_is_kept_from_being_stopped_once(server: GitlabServer, stub: Stub) -> None:
    assert not keep_running(connected(stub), "prod"), "GitLab has none of this name"
    server.environments.append({"id": 3, "name": "prod"})
    assert not keep_running(connected(stub), "prod"), "a GitLab that has no such setting"
    server.environments[0]["auto_stop_setting"] = "always"
    assert keep_running(connected(stub, token=None), "prod")
    assert not keep_running(connected(stub), "prod")
    assert server.environments == [{"id": 3, "name": "prod", "auto_stop_setting": "with_action"}]
    assert [call for call in server.calls if call.startswith("PUT")] == ["PUT 3"]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(("status", "kind"), [(401, ServiceError), (403, ServiceError), (503, TransientError)])
def test_a_refusal_is_translated(name: str, status: int, kind: type[Exception]) -> None:
    with http_stub(lambda request: (status, {"message": "no"})) as stub, pytest.raises(kind, match="GitLab project 42"):
        CALLS[name](connected(stub))


@pytest.mark.parametrize("name", [name for name in CALLS if name != "file"])
@pytest.mark.parametrize(
    "body", [b"<html>sign in</html>", b"", b"null", b'{"a": 1}', b"[1, 2]", b"[[]]", b'[{"a": 1}]']
)
def test_an_answer_that_is_not_gitlabs_is_told_so(name: str, body: bytes) -> None:
    stubbed = http_stub(lambda request: (200 if request.method == "GET" else 201, body))
    with stubbed as stub, pytest.raises(ServiceError, match="is not GitLab's; look what is at CI_SERVER_URL"):
        CALLS[name](connected(stub))
