"""The watch over requests sees what GitLab does not publish; the stand-in refuses what GitLab refuses."""

import json
from typing import Any

import gitlab
import pytest

from tests.fakes.http_stub import http_stub
from tests.gitlab_api.published import call_at, wrong

DEPLOYMENT = {"environment": "dev", "sha": "a", "ref": "main", "tag": False, "status": "success"}


def problems(method: str, path: str, body: Any = None, status: int | None = 200) -> list[str]:
    sent = json.dumps(body).encode() if body is not None else b""
    return [one.rpartition(": ")[2] for one in wrong(method, f"/api/v4{path}", sent, status)]


@pytest.mark.parametrize(
    ("method", "path", "body", "found"),
    [
        ("GET", "/projects/1/deployments?order_by=id&per_page=1&sort=desc", None, []),
        ("GET", "/projects/g%2Fp/deployments?order_by=ref", None, ["order_by='ref' is not ['id'"]),
        ("GET", "/projects/1/deployments?state=success", None, ["GitLab publishes no parameter 'state'"]),
        ("GET", "/projects/1/repository/files/a.yml", None, ["'ref' is missing"]),
        ("GET", "/projects/1/merge_requests?iids[]=1&iids[]=2", None, []),
        ("GET", "/projects/1/merge_requests?iids=1,2", None, []),
        ("GET", "/projects/1/merge_requests?iids[]=one", None, ["iids=['one'] is not '[integer]'"]),
        ("GET", "/projects/1/merge_requests?draft=True", None, []),
        ("GET", "/projects/1/merge_requests?draft=maybe", None, ["draft='maybe' is not 'boolean'"]),
        ("GET", "/projects/1/variables/KEY?filter[environment_scope]=dev", None, []),
        ("GET", "/projects/1/nonsense", None, ["GitLab publishes no such call"]),
        ("POST", "/projects/1/deployments", DEPLOYMENT, []),
        ("POST", "/projects/1/deployments", {**DEPLOYMENT, "tag": "no"}, ["tag='no' is not 'boolean'"]),
        (
            "POST",
            "/projects/1/deployments",
            {**DEPLOYMENT, "status": "blocked"},
            ["status='blocked' is not ['running'"],
        ),
        (
            "POST",
            "/projects/1/statuses/a",
            {"state": "success", "pipeline_id": "9"},
            ["pipeline_id='9' is not 'integer'"],
        ),
        ("POST", "/projects", {"name": "p", "namespace_path": "g"}, ["GitLab publishes no parameter 'namespace_path'"]),
        ("PUT", "/projects/1/packages/generic/windlass/abc/manifest.json", {"any": "file"}, []),
    ],
)
def test_what_gitlab_does_not_publish_is_seen(method: str, path: str, body: Any, found: list[str]) -> None:
    seen = problems(method, path, body)
    assert len(seen) == len(found)
    assert all(one.startswith(words) for one, words in zip(seen, found, strict=True)), seen


def test_a_parameter_that_is_missing_is_seen_one_by_one() -> None:
    for name in DEPLOYMENT:
        left = {key: value for key, value in DEPLOYMENT.items() if key != name}
        assert problems("POST", "/projects/1/deployments", left) == [f"{name!r} is missing"]


def test_what_was_refused_was_allowed_to_be_wrong_and_what_broke_was_not() -> None:
    assert problems("POST", "/projects/1/deployments", {}, 400) == []
    assert problems("POST", "/projects/1/deployments", {}, 500) != []
    assert problems("POST", "/projects/1/deployments", {}, None) != []
    assert wrong("GET", "/api/v2/dags?limit=1", b"", 200) == []


@pytest.mark.parametrize(
    ("path", "noted"),
    [
        ("/projects/1/members/all", "/projects/{id}/members/all"),
        ("/projects/1/members/7", "/projects/{id}/members/{user_id}"),
        ("/projects/1/releases/permalink/latest", "/projects/{id}/releases/permalink/latest"),
        ("/projects/1/repository/files/a%2Fb.yml/raw?ref=HEAD", "/projects/{id}/repository/files/{file_path}/raw"),
    ],
)
def test_what_is_written_out_goes_before_what_varies(path: str, noted: str) -> None:
    call = call_at("GET", f"/api/v4{path}")
    assert call is not None
    assert call.path == noted


def test_a_stub_fails_at_its_end_when_it_was_asked_for_what_gitlab_does_not_have() -> None:
    with pytest.raises(AssertionError, match="no parameter 'nonsense'"), http_stub(lambda request: (200, [])) as stub:
        gitlab.Gitlab(stub.url, private_token="t").http_list("/projects/1/environments", query_data={"nonsense": 1})
