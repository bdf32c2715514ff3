"""The settings of a project are read whole where the token may, and part by part where it may not."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from tests.fakes.http_stub import Request, Stub, http_stub
from windlass.adapters.gitlab.connection import connection_here
from windlass.adapters.gitlab.project_settings import SettingsReader
from windlass.spec.errors import TransientError
from windlass.spec.project_settings import (
    Branch,
    DeployedTo,
    Group,
    JobTokens,
    Project,
    ProjectSettings,
    Protected,
    Readers,
    Runner,
    Token,
    Unseen,
    Variable,
)

SECRET = "do-not-show-me"
CI = "include: {project: platform/windlass, ref: v1, file: ci/model.yml, inputs: {project: digits}}\n"
OWN = "/projects/data/models/digits"
PLATFORM = "/projects/platform/windlass"


def variable(key: str, scope: str = "*", **keys: Any) -> dict[str, Any]:
    return {"key": key, "value": SECRET, "environment_scope": scope, "protected": False, "masked": False, **keys}


def member(number: int, username: str, level: int, **keys: Any) -> dict[str, Any]:
    return {"id": number, "username": username, "access_level": level, "state": "active", **keys}


ANSWERS: dict[str, Any] = {
    OWN: {
        "id": 7,
        "path_with_namespace": "data/models/digits",
        "default_branch": "main",
        "visibility": "internal",
        "merge_method": "ff",
        "only_allow_merge_if_pipeline_succeeds": True,
        "allow_merge_on_skipped_pipeline": False,
        "restrict_user_defined_variables": True,
        "ci_pipeline_variables_minimum_override_role": "maintainer",
    },
    f"{OWN}/repository/files/.gitlab-ci.yml/raw": CI.encode(),
    f"{OWN}/protected_branches": [
        {"name": "main", "push_access_levels": [{"access_level": 40}], "allow_force_push": False},
        {"name": "rel*", "push_access_levels": [{"access_level": None, "user_id": 3}], "allow_force_push": True},
    ],
    f"{OWN}/protected_tags": [{"name": "v*", "create_access_levels": [{"access_level": 40, "deploy_key_id": 2}]}],
    f"{OWN}/variables": [
        variable("KEY", "prod", protected=True, masked=True),
        variable("FILE", variable_type="file"),
        variable("HIDDEN", hidden=True),
    ],
    "/groups/data/models/variables": [variable("NEAR")],
    "/groups/data/variables": [variable("FAR")],
    f"{OWN}/runners": [
        {"id": 1, "status": "online", "active": True},
        {"id": 2, "status": "offline", "active": True},
        {"id": 3, "status": "online", "paused": True},
    ],
    "/runners/1": {"id": 1, "description": "big", "tag_list": ["gpu"], "run_untagged": True},
    f"{OWN}/resource_groups": [{"id": 1, "key": "windlass-dev", "process_mode": "unordered"}],
    f"{OWN}/environments": [{"id": 1, "name": "dev", "auto_stop_setting": "always"}, {"id": 2, "name": "prod"}],
    f"{OWN}/approvals": {"reset_approvals_on_push": True},
    PLATFORM: {"id": 1, "visibility": "private", "default_branch": "main"},
    f"{PLATFORM}/repository/branches/main": {"name": "main", "protected": True, "developers_can_push": False},
    f"{PLATFORM}/job_token_scope": {"inbound_enabled": True, "outbound_enabled": False},
    f"{PLATFORM}/job_token_scope/allowlist": [{"id": 1, "path_with_namespace": "platform/windlass"}],
    f"{PLATFORM}/job_token_scope/groups_allowlist": [{"id": 4, "web_url": "{url}/groups/data/models"}],
    f"{PLATFORM}/repository/tags/v1": {"name": "v1"},
    "/users?ann": [{"id": 1, "username": "Ann", "state": "active"}],
    "/users?bob": [{"id": 2, "username": "bob", "state": "blocked"}],
    "/users?eve": [],
    "/groups/platform/engineers": {"id": 9, "full_path": "platform/engineers", "visibility": "internal"},
    "/groups/9/members/all": [member(1, "Ann", 10), member(2, "bob", 40, state="blocked")],
    "/user": {"id": 3, "username": "project_7_bot_0f", "bot": True},
    f"{OWN}/members/all/3": {"id": 3, "username": "project_7_bot_0f", "access_level": 20},
    f"{OWN}/members/all": [member(1, "Ann", 30), member(4, "eve", 20), member(2, "bob", 40, state="blocked")],
    f"{PLATFORM}/members/all": [member(1, "Ann", 20), member(4, "eve", 10)],
}


def gitlab(stub: list[Stub], **instead: Any) -> Callable[[Request], tuple[int, Any]]:
    """Answers as ANSWERS say; `instead` gives a status for paths that end so."""

    def answer(request: Request) -> tuple[int, Any]:
        path, _, query = unquote(request.path.removeprefix("/api/v4")).partition("?")
        if path == "/users":
            path += "?" + next(part.removeprefix("username=") for part in query.split("&") if "username" in part)
        for end, status in instead.items():
            if path.endswith(end):
                return status, {"message": "no"}
        if path not in ANSWERS:
            return 404, {"message": "404 Not Found"}
        found = ANSWERS[path]
        if path.endswith("groups_allowlist"):
            found = json.loads(json.dumps(found).replace("{url}", stub[0].url))
        return 200, found

    return answer


def read(
    instead: dict[str, Any] | None = None, job: dict[str, str] | None = None
) -> tuple[ProjectSettings, str | Unseen, Stub]:
    stubs: list[Stub] = []
    with http_stub(gitlab(stubs, **(instead or {}))) as stub:
        stubs.append(stub)
        given = {"WINDLASS_GITLAB_URL": stub.url, "WINDLASS_GITLAB_TOKEN": "mine"}
        connection = connection_here("data/models/digits", given, sleep=lambda seconds: None)
        assert connection is not None
        reader = SettingsReader(connection, job or {})
        groups = ["platform/engineers", "gone"]
        return reader.settings("platform/windlass", ["v1", "v2"], ["ann", "bob", "eve"], groups), reader.ci_file(), stub


def test_everything_is_read_for_who_may_see_everything() -> None:
    settings, ci_file, stub = read()
    assert ci_file == CI
    assert settings == ProjectSettings(
        project=Project("data/models/digits", "main", "internal", "ff", True, False, variables_role="maintainer"),
        branches=(Protected("main", (40,)), Protected("rel*", (), others=True, force_push=True)),
        tags=(Protected("v*", (40,), others=True),),
        variables=(
            Variable("KEY", "prod", protected=True, masked=True, origin="data/models/digits"),
            Variable("FILE", is_file=True, origin="data/models/digits"),
            Variable("HIDDEN", masked=True, origin="data/models/digits"),
            Variable("NEAR", origin="the group data/models"),
            Variable("FAR", origin="the group data"),
        ),
        runners=(Runner("big", frozenset({"gpu"}), untagged=True),),
        resource_groups={"windlass-dev": "unordered"},
        environments=(DeployedTo("dev", "always"), DeployedTo("prod", None)),
        resets_approvals=True,
        job_tokens=JobTokens(True, frozenset({"platform/windlass"}), frozenset({"data/models"})),
        platform_tags={"v1": True, "v2": False},
        platform_branch=Branch("main", True),
        users={"ann": True, "bob": False, "eve": False},
        groups={"platform/engineers": Group(False, frozenset({"ann"})), "gone": None},
        token=Token("project_7_bot_0f", "project", 20),
        starters=frozenset({"ann"}),
        platform_readers=Readers(people=frozenset({"ann"})),
    )
    assert SECRET not in repr(settings)
    assert {request.method for request in stub.requests} == {"GET"}


PARTS = {
    "digits": "project",
    "/protected_branches": "branches",
    "/protected_tags": "tags",
    "digits/variables": "variables",
    "/runners": "runners",
    "/resource_groups": "resource_groups",
    "digits/environments": "environments",
    "/approvals": "resets_approvals",
    "/job_token_scope": "job_tokens",
    "/groups_allowlist": "job_tokens",
    "/tags/v1": "platform_tags",
    "/branches/main": "platform_branch",
    "/users?ann": "users",
    "/engineers": "groups",
    "/user": "token",
    "/members/all/3": "token",
    "digits/members/all": "starters",
    "windlass/members/all": "platform_readers",
}


@pytest.mark.parametrize("end", PARTS)
def test_what_the_token_may_not_see_is_told_and_the_rest_is_read(end: str) -> None:
    settings, _, _ = read({end: 401 if end == "/approvals" else 403})
    unseen = {name for name, part in vars(settings).items() if isinstance(part, Unseen)}
    assert unseen == {PARTS[end]}
    assert getattr(settings, PARTS[end]).reason.startswith("could not look: needs the ")


def test_a_groups_variables_that_cannot_be_seen_leave_the_projects_to_be_seen() -> None:
    settings, _, _ = read({"/groups/data/variables": 403})
    assert isinstance(settings.variables, tuple)
    assert [one.key for one in settings.variables] == ["KEY", "FILE", "HIDDEN", "NEAR"]
    reason = "could not look: variables of the group data need its role Owner"
    assert settings.group_variables == Unseen(reason)


def test_a_platform_that_the_token_does_not_see_is_not_said_to_lack_its_tags() -> None:
    settings, _, _ = read({"platform/windlass": 404})
    assert isinstance(settings.platform_tags, Unseen)
    assert isinstance(settings.platform_branch, Unseen)


def test_a_persons_own_project_has_no_groups_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSWERS, OWN, {**ANSWERS[OWN], "namespace": {"kind": "user"}})
    settings, _, stub = read({"/groups/data/variables": 404, "/groups/data/models/variables": 404})
    assert settings.group_variables is None
    assert not any("groups/data" in unquote(request.path) for request in stub.requests)


@pytest.mark.parametrize(
    ("user", "kind"),
    [
        ({"username": "project_7_bot"}, "project"),
        ({"username": "group_9_bot_0f3e"}, "group"),
        ({"username": "service_account_group_9_0f"}, "service account"),
        ({"username": "deploy", "bot": True}, "service account"),
        ({"username": "project_bot", "bot": False}, "person"),
        ({"username": "ann"}, "person"),
    ],
)
def test_whose_a_token_is_its_owner_tells(user: dict[str, Any], kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSWERS, "/user", {"id": 99, **user})
    token = read()[0].token
    assert isinstance(token, Token)
    assert (token.kind, token.level, token.in_job) == (kind, 0, False), "no member of the project has no level"
    assert token.is_of_jobs == (kind != "person")


def test_a_job_says_of_which_environment_and_branch_it_is() -> None:
    job = {"CI_JOB_TOKEN": "j", "CI_ENVIRONMENT_NAME": "prod", "CI_COMMIT_REF_PROTECTED": "false"}
    assert read(job=job)[0].token == Token("project_7_bot_0f", "project", 20, True, "prod", on_open_branch=True)
    del job["CI_JOB_TOKEN"]
    assert read(job=job)[0].token == Token("project_7_bot_0f", "project", 20)


@pytest.mark.parametrize(
    ("platform", "is_open"),
    [
        ({"visibility": "internal"}, True),
        ({"visibility": "internal", "repository_access_level": "private"}, False),
        ({"visibility": "public", "repository_access_level": "enabled"}, True),
        ({"visibility": "private", "repository_access_level": "enabled"}, False),
    ],
)
def test_an_internal_platform_is_open_unless_its_repository_is_for_members(
    platform: dict[str, Any], is_open: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ANSWERS, PLATFORM, {"id": 1, "default_branch": "main", **platform})
    settings, _, _ = read()
    assert isinstance(settings.job_tokens, JobTokens)
    assert isinstance(settings.platform_readers, Readers)
    assert (settings.job_tokens.is_open, settings.platform_readers.everybody) == (is_open, is_open)


def test_who_is_in_a_private_group_is_not_told_to_everybody() -> None:
    assert read({"/groups/9/members/all": 403})[0].groups == {"platform/engineers": Group(False, None), "gone": None}


def test_a_gitlab_without_approval_settings_is_of_the_free_tier() -> None:
    settings, _, _ = read({"/approvals": 404})
    assert settings.resets_approvals == Unseen("this GitLab has no such setting: it is of Premium")


def test_a_project_without_a_ci_file_has_none() -> None:
    assert read({"/raw": 404})[1] == Unseen("there is no .gitlab-ci.yml on the default branch")


def test_a_public_platform_lets_every_job_clone_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSWERS, PLATFORM, {"id": 1, "visibility": "public", "default_branch": "main"})
    assert read({"/job_token_scope": 403})[0].job_tokens == JobTokens(False, is_open=True)


@pytest.mark.parametrize("end", PARTS)
def test_a_gitlab_that_does_not_answer_is_tried_again_later(end: str) -> None:
    with pytest.raises(TransientError):
        read({end: 503})


NOT_LOOKED_INTO = {f"{PLATFORM}/repository/tags/v1", "/groups/platform/engineers"}
"""Answers of which only that they came matters, or whether one word is in them."""


@pytest.mark.parametrize("path", [path for path in ANSWERS if not path.endswith("/raw") and path != "/users?eve"])
def test_an_answer_of_another_shape_is_told_and_no_bug(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ANSWERS, path, [["odd"]])
    settings, _, _ = read()
    is_told = any(isinstance(part, Unseen) for part in vars(settings).values())
    assert is_told or path in NOT_LOOKED_INTO
