"""Which jobs ci/environments.yml has for each event, as gitlab-ci-local reads it with its include."""

import subprocess
from pathlib import Path

import pytest

from tests.ci.listing import listed_jobs

pytestmark = pytest.mark.stack

ROOT = Path(__file__).parents[2]
PIPELINE = """\
include:
  - {local: /ci/environments.yml, inputs: {project: platform_pipelines, environment: dev}}
  - {local: /ci/environments.yml, inputs: {project: platform_pipelines, environment: prod, manual: true}}
"""
DIFFS = {f"platform_pipelines:env:diff:{name}": "on_success" for name in ("dev", "prod")}
APPLIES = {"platform_pipelines:env:apply:dev": "on_success", "platform_pipelines:env:apply:prod": "manual"}
MERGE_REQUEST = ["--variable", "CI_PIPELINE_SOURCE=merge_request_event", "--unset-variable", "CI_COMMIT_BRANCH"]
EVENTS = {
    "merge request": (MERGE_REQUEST, DIFFS),
    "default branch": (["--variable", "CI_COMMIT_BRANCH=main"], APPLIES),
    "another branch": (["--variable", "CI_COMMIT_BRANCH=feature"], {}),
    "schedule": (["--variable", "CI_PIPELINE_SOURCE=schedule", "--variable", "CI_COMMIT_BRANCH=main"], {}),
}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ci") / "clone"
    (folder / "ci").mkdir(parents=True)
    for name in ("base.yml", "environments.yml"):
        (folder / "ci" / name).write_text((ROOT / "ci" / name).read_text())
    (folder / ".gitlab-ci.yml").write_text(PIPELINE)
    git = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main"]
    remote = ["remote", "add", "origin", "http://127.0.0.1/platform/windlass.git"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "CI"], remote):
        subprocess.run([*git, *command], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize("event", EVENTS)
def test_merge_requests_compare_and_the_default_branch_applies(clone: Path, event: str) -> None:
    options, expected = EVENTS[event]
    assert {name: job.when for name, job in listed_jobs(clone, options).items()} == expected
