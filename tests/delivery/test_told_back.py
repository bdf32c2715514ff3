# ruff: noqa: F811 - a fixture is imported under the name that tests take it by
"""GitLab is told which commit is live again after a rollback, by hand or by a verification that failed: once."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.delivery.in_memory import open_store, s3, store  # noqa: F401 - fixtures
from tests.delivery.test_commands import Run, commit, deliver, git, project, windlass  # noqa: F401 - fixtures
from tests.delivery.test_verdict_commands import airflow  # noqa: F401 - fixture
from tests.fakes.airflow_server import AirflowServer
from tests.fakes.gitlab_server import GitlabServer, at_hand
from tests.fakes.http_stub import http_stub
from windlass.cli.afterwards import tell_back
from windlass.spec.state import ProjectState

ONE, TWO = "1" * 40, "2" * 40
LIVE = ProjectState(release="f" * 64, commit=ONE, tag="v1")


@pytest.fixture
def gitlab(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitlabServer]:
    """The GitLab of the job in which commands run; the jobs' `environment:` makes no deployments."""
    server = GitlabServer()
    with http_stub(server.answer) as stub:
        variables = {
            "CI_SERVER_URL": stub.url,
            "CI_PROJECT_ID": "42",
            "CI_JOB_TOKEN": "job",
            "CI_DEFAULT_BRANCH": "main",
        }
        variables |= {"CI_ENVIRONMENT_NAME": "stage", "CI_ENVIRONMENT_ACTION": "prepare"}
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        yield server


def told(server: GitlabServer) -> list[tuple[str, str]]:
    return [(one["sha"], one["ref"]) for one in server.deployments if one["environment"] == "stage"]


@pytest.fixture
def two(project: Path, windlass: Run, gitlab: GitlabServer) -> tuple[str, str]:
    """v1 and then v2 went to stage."""
    commits = []
    for number in (1, 2):
        (project / "train.csv").write_text(f"0.9{number}\n")
        commits.append(commit(f"number {number}"))
        git("tag", f"v{number}")
        deliver(windlass)
        deliver(windlass, to="stage")
    return commits[0], commits[1]


@pytest.mark.stack
def test_a_rollback_tells_the_commit_that_is_live_again_once(
    windlass: Run, two: tuple[str, str], gitlab: GitlabServer
) -> None:
    one, other = two
    assert told(gitlab) == [(one, "v1"), (other, "v2")]
    code, _, err = windlass("rollback", "stage")
    assert (code, "told GitLab that v1 (" in err) == (0, True), err
    assert told(gitlab)[2:] == [(one, "v1")]
    code, _, err = windlass("rollback", "stage")
    assert (code, "told GitLab" in err) == (0, False), "the same again changes nothing and tells nothing"
    assert len(told(gitlab)) == 3


@pytest.mark.stack
def test_a_gitlab_that_is_away_is_a_warning_and_the_same_command_tells_it_later(
    windlass: Run, two: tuple[str, str], gitlab: GitlabServer
) -> None:
    gitlab.point, gitlab.wrong = len(gitlab.calls), (403, {"message": "403 Forbidden"})
    code, out, err = windlass("rollback", "stage", "--json")
    assert (code, "GitLab does not know that stage went back" in err) == (0, True), err
    assert json.loads(out)["changed"]
    assert told(gitlab)[-1] == (two[1], "v2")
    assert windlass("rollback", "stage")[0] == 0
    assert told(gitlab)[-1] == (two[0], "v1")


@pytest.mark.stack
def test_a_whole_environment_that_goes_back_tells_the_project_whose_job_this_is(
    windlass: Run, two: tuple[str, str], gitlab: GitlabServer
) -> None:
    code, _, err = windlass("rollback", "stage", "--all")
    assert code == 0, err
    assert told(gitlab)[2:] == [(two[0], "v1")]


@pytest.mark.stack
def test_a_verification_that_failed_leaves_gitlab_with_the_commit_that_is_live(
    project: Path, windlass: Run, gitlab: GitlabServer, airflow: AirflowServer
) -> None:
    deliver(windlass)
    deliver(windlass, to="stage")
    ((good, _),) = told(gitlab)
    gitlab.deployments.clear()  # it was away then
    (project / "train.csv").write_text("0.95\n")
    bad = commit("two")
    deliver(windlass)
    airflow.broken.add(bad)
    code, _, err = windlass("promote", "--to", "stage")
    assert (code, "stage is back at" in err) == (2, True), err
    assert told(gitlab) == [(good, "main")]
    assert windlass("promote", "--to", "stage")[0] == 2
    assert told(gitlab) == [(good, "main")]


@pytest.mark.parametrize(
    ("variables", "number"),
    [
        ({}, 1),
        ({"CI_ENVIRONMENT_NAME": "prod", "CI_ENVIRONMENT_ACTION": "start", "CI_COMMIT_SHA": ONE}, 0),
        ({"CI_ENVIRONMENT_NAME": "prod", "CI_ENVIRONMENT_ACTION": "start", "CI_COMMIT_SHA": TWO}, 1),
        ({"CI_ENVIRONMENT_NAME": "prod", "CI_ENVIRONMENT_ACTION": "prepare", "CI_COMMIT_SHA": ONE}, 1),
    ],
)
def test_a_job_whose_own_deployment_is_of_that_very_commit_needs_no_second(
    variables: dict[str, str], number: int
) -> None:
    server = GitlabServer()
    for _ in range(2):
        tell_back(at_hand(server), "prod", LIVE, variables)
    assert [(one["sha"], one["ref"], one["tag"]) for one in server.deployments] == [(ONE, "v1", True)] * number
