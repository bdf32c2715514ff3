"""The GitLab adapter: found from CI variables, asked politely, and never in the way of a delivery."""

import socket
from typing import Any

import pytest

from tests.fakes.http_stub import Request, Stub, WithHeaders, http_stub
from windlass.adapters.gitlab.project import GitlabProject, project_in_ci
from windlass.spec.errors import ServiceError, TransientError

MERGED = {"iid": 7, "title": "More digits", "state": "merged", "author": {"username": "ann"}, "web_url": "https://x/7"}


def project(stub: Stub, **variables: str) -> GitlabProject:
    given = {"CI_SERVER_URL": stub.url, "CI_PROJECT_ID": "42", "CI_JOB_TOKEN": "job", **variables}
    found = project_in_ci(given, sleep=lambda seconds: None)
    assert found is not None
    return found


@pytest.mark.parametrize("missing", ["CI_SERVER_URL", "CI_PROJECT_ID", "CI_JOB_TOKEN"])
def test_outside_of_gitlab_ci_there_is_no_project(missing: str) -> None:
    variables = {"CI_SERVER_URL": "https://x", "CI_PROJECT_ID": "42", "CI_JOB_TOKEN": "job"}
    del variables[missing]
    assert project_in_ci(variables) is None


def test_the_merge_request_of_a_commit_is_told_with_its_approvals() -> None:
    def answer(request: Request) -> tuple[int, Any]:
        if request.path.endswith("/approvals"):
            return 200, {"approved_by": [{"user": {"username": "bob"}}]}
        return 200, [{**MERGED, "iid": 3, "state": "opened"}, MERGED]

    with http_stub(answer) as stub:
        found = project(stub, WINDLASS_GITLAB_TOKEN="mine").merge_request("abc")
        expected = {"iid": 7, "title": "More digits", "author": "ann", "url": "https://x/7", "approved_by": ["bob"]}
        assert found == expected
        assert stub.requests[0].path.startswith("/api/v4/projects/42/repository/commits/abc/merge_requests")
        assert stub.requests[0].headers["PRIVATE-TOKEN"] == "mine"


def test_a_job_token_reads_approvals_from_the_notes_of_gitlab() -> None:
    def note(number: int, who: str, body: str, system: bool = True) -> dict[str, Any]:
        made = {"id": number, "body": body, "system": system, "created_at": "2026-01-01T00:00:00Z"}
        return {**made, "author": {"username": who, "state": "active"}}

    approved, withdrawn = "approved this merge request", "unapproved this merge request"
    notes = [
        note(1, "bob", approved),
        note(2, "eve", approved),
        note(3, "bob", withdrawn),
        note(4, "max", approved, False),
    ]

    def answer(request: Request) -> tuple[int, Any]:
        return 200, notes if "/notes" in request.path else [MERGED]

    with http_stub(answer) as stub:
        found = project(stub).merge_request("abc")
        assert found is not None
        assert found["approved_by"] == ["eve"]
        assert stub.requests[0].headers["JOB-TOKEN"] == "job"


def test_approvals_that_a_token_may_not_read_are_unknown() -> None:
    def answer(request: Request) -> tuple[int, Any]:
        return (403, {"message": "no"}) if "/approvals" in request.path or "/notes" in request.path else (200, [MERGED])

    for given in ({}, {"WINDLASS_GITLAB_TOKEN": "mine"}):
        with http_stub(answer) as stub:
            found = project(stub, **given).merge_request("abc")
            assert found is not None
            assert found["approved_by"] is None


def test_a_commit_without_a_merge_request_has_none() -> None:
    with http_stub(lambda request: (200, [])) as stub:
        assert project(stub).merge_request("abc") is None


def test_a_question_is_asked_again_for_a_while_and_no_longer() -> None:
    answers = iter([(429, {}), (502, {}), (503, {}), (200, [])])
    with http_stub(lambda request: next(answers)) as stub:
        assert project(stub).merge_request("abc") is None
    with http_stub(lambda request: (500, {})) as stub:
        with pytest.raises(TransientError, match="does not answer"):
            project(stub).merge_request("abc")
        assert len(stub.requests) == 4


def test_a_token_does_not_follow_to_another_server() -> None:
    with http_stub(lambda request: (200, [])) as other:
        elsewhere = {"Location": f"{other.url}/api/v4/projects/42"}
        with (
            http_stub(lambda request: (302, WithHeaders({}, elsewhere))) as stub,
            pytest.raises(ServiceError, match="leads to another server, which gets no token"),
        ):
            project(stub).merge_request("abc")
        assert other.requests == []


def test_a_project_that_moved_on_the_same_server_is_followed() -> None:
    def answer(request: Request) -> tuple[int, Any]:
        if request.path.startswith("/api/v4/projects/42/"):
            return 301, WithHeaders({}, {"Location": request.path.replace("/42/", "/43/")})
        return 200, []

    with http_stub(answer) as stub:
        assert project(stub).merge_request("abc") is None
        assert stub.requests[-1].path.startswith("/api/v4/projects/43/")


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, ServiceError), (403, ServiceError), (404, ServiceError), (429, TransientError), (502, TransientError)],
)
def test_a_refusal_is_translated(status: int, kind: type[Exception]) -> None:
    with http_stub(lambda request: (status, {"message": "no"})) as stub, pytest.raises(kind, match="GitLab project 42"):
        project(stub).merge_request("abc")


@pytest.mark.parametrize(
    "body", [b"<html>sign in</html>", b"", b"null", b"{}", b"[1, 2]", b"[[]]", b'[{"iid": {}}]', b'[{"iid": 7}]']
)
def test_an_answer_that_is_not_gitlabs_is_told_so(body: bytes) -> None:
    stubbed = http_stub(lambda request: (200 if request.method == "GET" else 201, body))
    with stubbed as stub, pytest.raises(ServiceError, match="is not GitLab's; look what is at CI_SERVER_URL"):
        project(stub).merge_request("abc")


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"approved_by": 3}', b'{"approved_by": [{"user": null}]}'])
def test_approvals_of_another_shape_are_unknown(body: bytes) -> None:
    with http_stub(lambda request: (200, body if request.path.endswith("/approvals") else [MERGED])) as stub:
        found = project(stub).merge_request("abc")
        assert found is not None
        assert found["approved_by"] is None


def test_a_gitlab_that_nobody_listens_at_is_worth_another_try() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        stub = Stub(f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(TransientError, match="does not answer"):
            project(stub).merge_request("abc")
