"""A repository's real pipeline is rehearsed: merge request, default branch and tag, by gitlab-ci-local."""

import json
from pathlib import Path
from typing import Any

import gitlab
import pytest
from click.testing import CliRunner

from tests.fakes.standin import Checkout
from windlass.cli.rehearse import command
from windlass.spec.errors import ServiceError, WindlassError
from windlass.stack.publish import Remote
from windlass.stack.rehearsal import rehearse
from windlass.stack.repository import next_version
from windlass.stack.stack import Stack

PLATFORM = """
spec:
  inputs:
    project:
---
stages: [build, deploy]
include:
  - local: /ci/promote.yml
    inputs: {project: "$[[ inputs.project ]]", environment: dev, rule: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH}
  - local: /ci/promote.yml
    inputs: {project: "$[[ inputs.project ]]", environment: prod, rule: $CI_COMMIT_TAG}
"$[[ inputs.project ]]:lint":
  stage: build
  image: python:3.11
  script:
    - git clone --quiet --depth 1 --branch main "$CI_SERVER_URL/platform/windlass.git" .windlass/platform
    - test -f .windlass/platform/ci/promote.yml
    - command -v windlass
    - echo "event=$CI_PIPELINE_SOURCE tag=$CI_COMMIT_TAG iid=$CI_MERGE_REQUEST_IID ref=$CI_COMMIT_REF_NAME"
    - 'echo "job=$(curl --silent --noproxy "*" --header "JOB-TOKEN: $CI_JOB_TOKEN" "$CI_API_V4_URL/job")"'
    - echo "key=$AWS_ACCESS_KEY_ID secret=$AWS_SECRET_ACCESS_KEY token=$CI_JOB_TOKEN"
    - test ! -f broken
"""

PROMOTE = """
spec:
  inputs:
    project:
    environment:
    rule:
---
"$[[ inputs.project ]]:promote:$[[ inputs.environment ]]":
  stage: deploy
  environment: {name: "$[[ inputs.environment ]]"}
  script:
    - echo "to=$CI_ENVIRONMENT_NAME key=$AWS_ACCESS_KEY_ID airflow=$WINDLASS_AIRFLOW_URL"
  rules:
    - if: $[[ inputs.rule ]]
"""

MODEL = """
include:
  - {project: platform/windlass, ref: main, file: ci/model.yml, inputs: {project: digits}}
"""


def job_of(lines: list[str]) -> tuple[str, str, bool]:
    """Whose job it was and for what, as the job itself has asked."""
    told = json.loads(next(line.partition("job=")[2] for line in lines if "> job={" in line))
    return told["user"]["username"], told["ref"], told["tag"]


@pytest.fixture
def platform(tmp_path: Path) -> Checkout:
    checkout = Checkout(tmp_path / "platform", Remote("http://127.0.0.1:1", ""))
    checkout.commit(**{"ci/model.yml": PLATFORM, "ci/promote.yml": PROMOTE})
    return checkout


@pytest.fixture
def model(tmp_path: Path, request: pytest.FixtureRequest) -> Checkout:
    """A model repository with a name of its own in each test: the stack is shared."""
    name = request.node.name.replace("_", "-")[-40:].strip("-")
    checkout = Checkout(tmp_path / name, Remote("http://127.0.0.1:1", ""))
    checkout.commit("The first version", **{"__gitlab-ci__yml": MODEL})
    return checkout


@pytest.mark.stack
@pytest.mark.usefixtures("rsync")
def test_a_change_goes_from_merge_request_to_tag(small_stack: Stack, platform: Checkout, model: Checkout) -> None:
    lines: list[str] = []

    def run(event: str):
        lines.clear()
        return rehearse(small_stack, model.folder, event, platform=platform.folder, output=lines.append)

    request = run("merge-request")
    assert request.ok
    assert [(job.name, job.result) for job in request.jobs] == [("digits:lint", "passed")]
    assert any("event=merge_request_event tag= iid=1 ref=rehearsal" in line for line in lines)
    settings = small_stack.settings()
    dev, prod = settings.users["deliver-dev"], settings.users["deliver-prod"]
    assert any(f"key={dev.access_key_id} secret=[MASKED] token=[MASKED]" in line for line in lines)
    assert not any(dev.secret_access_key in line or "glcbt-" in line for line in lines)
    assert job_of(lines) == ("root", "refs/merge-requests/1/head", False)

    main = run("main")
    assert main.url == request.url
    assert [(job.name, job.environment, job.result) for job in main.jobs] == [
        ("digits:lint", "", "passed"),
        ("digits:promote:dev", "dev", "passed"),
    ]
    assert any("event=push tag= iid= ref=main" in line for line in lines)

    tag = run("tag")
    assert (tag.ref, tag.commit) == ("v0.1.0", main.commit)
    assert job_of(lines) == ("root", "v0.1.0", True)
    assert [(job.name, job.result) for job in tag.jobs][-1] == ("digits:promote:prod", "passed")
    url = small_stack.url("prod")
    assert any(f"to=prod key={prod.access_key_id} airflow={url}" in line for line in lines)
    assert run("tag").ref == "v0.1.1"

    project = gitlab.Gitlab(small_stack.url("gitlab"), private_token=settings.operator_token).projects.get(tag.project)
    deployed = [(d.environment["name"], d.ref, d.status) for d in project.deployments.list(get_all=True)]
    assert deployed[:2] == [("dev", "main", "success"), ("prod", "v0.1.0", "success")]
    for file in (small_stack.home / "runs").rglob("variables.json"):
        assert file.stat().st_mode & 0o777 == 0o600


def _run_by(project: Any) -> list[tuple[str, str]]:
    """Who started each pipeline, newest first, and how it ended; a list does not tell who."""
    every = [project.pipelines.get(one.id) for one in project.pipelines.list(get_all=True)]
    return [(one.user["username"], one.status) for one in every]


@pytest.mark.stack
@pytest.mark.usefixtures("rsync")
def test_somebody_else_delivers_with_no_more_rights_than_they_have(
    small_stack: Stack, platform: Checkout, model: Checkout
) -> None:
    lines: list[str] = []

    def run(event: str, user: str | None):
        lines.clear()
        return rehearse(small_stack, model.folder, event, platform=platform.folder, user=user, output=lines.append)

    request = run("merge-request", "ann")
    assert request.ok
    assert job_of(lines) == ("ann", "refs/merge-requests/1/head", False)
    with pytest.raises(ServiceError, match="401 Unauthorized"):
        run("main", "ann")
    main = run("main", None)
    project = gitlab.Gitlab(
        small_stack.url("gitlab"), private_token=small_stack.settings().operator_token
    ).projects.get(main.project)
    assert project.mergerequests.get(1).author["username"] == "ann"
    project.protectedtags.create({"name": "v*", "create_access_level": 40})
    with pytest.raises(ServiceError, match="not allowed to create this tag as it is protected"):
        run("tag", "ann")
    assert _run_by(project) == [
        ("root", "success"),
        ("ann", "success"),
    ]
    assert [job.status for job in project.jobs.list(scope=["running"], get_all=True)] == []


@pytest.mark.stack
@pytest.mark.usefixtures("rsync")
def test_a_failed_job_fails_the_rehearsal_and_main_moves_without_a_request(
    small_stack: Stack, platform: Checkout, model: Checkout
) -> None:
    first = rehearse(small_stack, model.folder, "main", platform=platform.folder, output=lambda line: None)
    assert first.ok
    model.commit("Broken", broken="yes")
    broken = rehearse(small_stack, model.folder, "main", platform=platform.folder, output=lambda line: None)
    assert not broken.ok
    assert [(job.name, job.result) for job in broken.jobs] == [
        ("digits:lint", "failed"),
        ("digits:promote:dev", "skipped"),
    ]


@pytest.mark.stack
@pytest.mark.usefixtures("rsync")
def test_a_pipeline_that_cannot_be_read_is_told_in_its_own_words(
    small_stack: Stack, platform: Checkout, model: Checkout
) -> None:
    model.commit(**{"__gitlab-ci__yml": MODEL.replace("ci/model.yml", "ci/modle.yml")})
    with pytest.raises(WindlassError, match=r"cannot read the pipeline:\n(.*\n)*.*ci/modle\.yml"):
        rehearse(small_stack, model.folder, "merge-request", platform=platform.folder)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [([], "v0.1.0"), (["v0.1.0"], "v0.1.1"), (["v1.9.9", "v1.10.0", "v0.1.0"], "v1.10.1"), (["x", "1.0.0"], "v0.1.0")],
)
def test_the_next_version_is_a_patch_after_the_highest(tags: list[str], expected: str) -> None:
    assert next_version(tags) == expected


def test_what_is_no_repository_with_a_pipeline_is_refused_in_a_sentence(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "stack", environments=())
    with pytest.raises(WindlassError, match="is not the top of a git repository"):
        rehearse(stack, tmp_path)
    checkout = Checkout(tmp_path / "model", Remote("http://127.0.0.1:1", ""))
    with pytest.raises(WindlassError, match=r"has no \.gitlab-ci\.yml"):
        rehearse(stack, checkout.folder)


def test_an_event_without_a_pipeline_has_no_job_to_start(tmp_path: Path) -> None:
    with pytest.raises(WindlassError, match="--event close has none: leave it out"):
        CliRunner().invoke(command, [str(tmp_path), "--event", "close", "--manual", "x"], catch_exceptions=False)


def test_without_rsync_a_rehearsal_ends_before_anything_starts_with_the_line_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = Checkout(tmp_path / "model", Remote("http://127.0.0.1:1", ""))
    checkout.commit(**{"__gitlab-ci__yml": MODEL})
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    arguments = [str(checkout.folder), "--home", str(tmp_path / "home")]
    with pytest.raises(WindlassError, match="needs rsync: sudo apt-get install rsync"):
        CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert not (tmp_path / "home").exists()


REVIEW = """
stages: [build, deploy]
digits:lint:
  stage: build
  script: ["true"]
  environment: {name: dev, action: access}
digits:review:
  stage: deploy
  variables: {HOW_LONG: 1 week}
  environment:
    name: review/digits-$CI_MERGE_REQUEST_IID
    url: $WINDLASS_REVIEW_URL/all
    on_stop: digits:review:stop
    auto_stop_in: $HOW_LONG
    deployment_tier: development
  script:
    - echo "WINDLASS_REVIEW_URL=http://airflow.example/$CI_COMMIT_SHA" > review.env
  artifacts: {reports: {dotenv: review.env}}
  rules:
    - {if: $CI_MERGE_REQUEST_DRAFT == "true", when: manual, allow_failure: true}
    - if: $CI_MERGE_REQUEST_IID
digits:review:stop:
  stage: deploy
  variables: {GIT_STRATEGY: none}
  environment: {name: review/digits-$CI_MERGE_REQUEST_IID, action: stop}
  script:
    - 'echo "files=$(ls) iid=$CI_MERGE_REQUEST_IID source=$CI_PIPELINE_SOURCE commit=$CI_COMMIT_SHA id=$CI_PIPELINE_ID"'
    - test -z "$STUCK"
  rules:
    - {if: $CI_PIPELINE_SOURCE == "merge_request_event", when: manual, allow_failure: true}
"""


@pytest.mark.stack
@pytest.mark.usefixtures("rsync")
def test_an_environment_lives_from_a_push_to_the_end_of_its_merge_request(
    small_stack: Stack, platform: Checkout, model: Checkout
) -> None:
    lines: list[str] = []
    settings = small_stack.settings()
    operator = gitlab.Gitlab(small_stack.url("gitlab"), private_token=settings.operator_token)

    def run(event: str, manual: tuple[str, ...] = (), **variables: str) -> dict[str, str]:
        lines.clear()
        done = rehearse(
            small_stack, model.folder, event,
            platform=platform.folder, manual=manual, variables=variables, report=lines.append, output=lines.append,
        )  # fmt: skip
        return {job.name.removeprefix("digits:"): job.result for job in done.jobs}

    def project() -> Any:
        return operator.projects.get(f"models/{model.folder.name}")

    def environments() -> dict[str, str]:
        return {one.name: one.state for one in project().environments.list(get_all=True)}

    def said() -> str:
        return next(line for line in lines if "> files=" in line)

    # a draft waits for somebody; what only asks an environment for its variables deploys nothing
    model.commit("Draft: a review", **{"__gitlab-ci__yml": REVIEW})
    assert run("merge-request") == {"lint": "passed", "review": "manual", "review:stop": "manual"}
    assert environments() == {}
    assert run("merge-request", ("digits:review",))["review"] == "passed"
    (found,) = project().environments.list(get_all=True)
    commit = model.git("rev-parse", "HEAD")
    assert (found.name, found.state, found.tier) == ("review/digits-1", "available", "development")
    assert found.external_url == f"http://airflow.example/{commit}/all"
    assert found.auto_stop_at > found.created_at
    (deployed,) = project().deployments.list(get_all=True)
    assert (deployed.ref, deployed.sha, deployed.status) == ("refs/merge-requests/1/head", commit, "success")
    pipeline = project().pipelines.list(get_all=True)[0].id

    # it ends with its merge request; a job that fails leaves it as it is, until somebody stops it
    assert run("close", STUCK="yes") == {"review:stop": "failed"}
    assert project().mergerequests.get(1).state == "closed"
    assert environments() == {"review/digits-1": "available"}
    assert run("stop") == {"review:stop": "passed"}
    assert f"files= iid=1 source=merge_request_event commit={commit} id={pipeline}" in said()
    assert environments() == {"review/digits-1": "stopped"}

    # it ends with the branch too, of which the stopping job needs nothing, and with a merge
    model.commit("A review")
    assert run("merge-request")["review"] == "passed"
    assert environments()["review/digits-2"] == "available"
    assert run("delete-branch") == {"review:stop": "passed"}
    assert "iid=2" in said()
    assert run("merge-request")["review"] == "passed"
    assert run("main") == {"review:stop": "passed", "lint": "passed"}
    assert "iid=3" in said()
    assert set(environments().values()) == {"stopped"}
    assert [one.state for one in project().mergerequests.list(get_all=True)] == ["merged", "closed", "closed"]
    assert [one.status for one in project().jobs.list(scope=["running"], get_all=True)] == []
    with pytest.raises(WindlassError, match="has no open merge request"):
        run("close")
