"""Which jobs this repository's own pipeline has for each event, as gitlab-ci-local reads it with its includes."""

import subprocess
from pathlib import Path

import pytest

from tests.ci.listing import listed_jobs

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[2]
MERGE_REQUEST = ["--variable", "CI_PIPELINE_SOURCE=merge_request_event", "--unset-variable", "CI_COMMIT_BRANCH"]
BUILD = {"platform_pipelines:lint", "platform_pipelines:test", "platform_pipelines:train"}
JOBS = {
    "merge request": (MERGE_REQUEST, {"check", *BUILD, "platform_pipelines:render", "platform_pipelines:plan"}),
    "default branch": (
        ["--variable", "CI_COMMIT_BRANCH=main"],
        {"check", *BUILD, "platform_pipelines:release"}
        | {f"platform_pipelines:{what}:{where}" for what in ("promote", "rollback") for where in ("dev", "stage")},
    ),
    "tag": (
        ["--variable", "CI_COMMIT_TAG=v1.2.3", "--unset-variable", "CI_COMMIT_BRANCH"],
        {"platform_pipelines:promote:prod", "platform_pipelines:rollback:prod"},
    ),
    "tag that is no version": (["--variable", "CI_COMMIT_TAG=nightly", "--unset-variable", "CI_COMMIT_BRANCH"], set()),
    "another branch": (["--variable", "CI_COMMIT_BRANCH=feature"], set()),
    "schedule": (["--variable", "CI_PIPELINE_SOURCE=schedule", "--variable", "CI_COMMIT_BRANCH=main"], set()),
}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CI files of this checkout in a repository of their own."""
    folder = tmp_path_factory.mktemp("own") / "clone"
    folder.mkdir()
    for path in [ROOT / ".gitlab-ci.yml", *(ROOT / "ci").glob("*.yml")]:
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(exist_ok=True)
        target.write_text(path.read_text())
    git = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "CI"]):
        subprocess.run([*git, *command], cwd=folder, check=True)
    remote = ["git", "remote", "add", "origin", "http://127.0.0.1/platform/windlass.git"]
    subprocess.run(remote, cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("event", JOBS)
def test_each_event_has_its_jobs_and_no_other(clone: Path, event: str) -> None:
    options, expected = JOBS[event]
    assert listed_jobs(clone, options).keys() == expected
