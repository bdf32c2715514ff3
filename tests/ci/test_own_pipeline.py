"""Which jobs this repository's own pipeline has for each event, as gitlab-ci-local reads it with its includes."""

from pathlib import Path

import pytest

from tests.ci.listing import listed_jobs, repository

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[2]
MERGE_REQUEST = ["--variable", "CI_PIPELINE_SOURCE=merge_request_event", "--unset-variable", "CI_COMMIT_BRANCH"]
BUILD = {"platform_pipelines:lint", "platform_pipelines:test", "platform_pipelines:train"}
IN_A_MERGE_REQUEST = {f"platform_pipelines:{what}" for what in ("render", "plan", "gate:prod:merge-request")}
TAG = ["--variable", "CI_COMMIT_TAG=v1.2.3", "--unset-variable", "CI_COMMIT_BRANCH"]
ON_A_TAG = {
    f"platform_pipelines:{what}:prod" for what in ("promote", "rollback", "gate", "override", "freeze", "unfreeze")
}
JOBS = {
    "merge request": (MERGE_REQUEST, {"check", *BUILD, *IN_A_MERGE_REQUEST}),
    "default branch": (
        ["--variable", "CI_COMMIT_BRANCH=main"],
        {"check", *BUILD, "platform_pipelines:release"}
        | {f"platform_pipelines:{what}:{where}" for what in ("promote", "rollback") for where in ("dev", "stage")}
        | {f"platform_pipelines:{what}:prod" for what in ("gate", "freeze", "unfreeze")},
    ),
    "tag": (TAG, {"check", "wheel", "release", *ON_A_TAG}),
    "tag, its pipeline run again": ([*TAG, "--variable", "CI_PIPELINE_SOURCE=web"], ON_A_TAG),
    "rollback on a tag": (
        [*TAG, "--variable", "CI_PIPELINE_SOURCE=web", "--variable", "WINDLASS_ROLLBACK=prod"],
        {"platform_pipelines:rollback:prod"},
    ),
    "tag that is no version": (["--variable", "CI_COMMIT_TAG=nightly", "--unset-variable", "CI_COMMIT_BRANCH"], set()),
    "another branch": (["--variable", "CI_COMMIT_BRANCH=feature"], set()),
    "schedule": (
        ["--variable", "CI_PIPELINE_SOURCE=schedule", "--variable", "CI_COMMIT_BRANCH=main"],
        {f"platform_pipelines:monitor:{where}" for where in ("dev", "stage", "prod")},
    ),
}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CI files of this checkout in a repository of their own."""
    return repository(tmp_path_factory.mktemp("own") / "clone", (ROOT / ".gitlab-ci.yml").read_text())


@pytest.mark.parametrize("event", JOBS)
def test_each_event_has_its_jobs_and_no_other(clone: Path, event: str) -> None:
    options, expected = JOBS[event]
    assert listed_jobs(clone, options).keys() == expected
