"""Review environments as their jobs make and end them: the example's merge requests, and an Airflow that shows them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import gitlab
import pytest

from tests.e2e.conftest import ROOT
from windlass.adapters.airflow import AirflowApi
from windlass.adapters.s3 import open_bucket
from windlass.delivery.history.states import load_current
from windlass.spec.airflow import DagReport
from windlass.spec.environment import find_environment, load_environments, resolve
from windlass.spec.errors import WindlassError
from windlass.spec.state import ProjectState
from windlass.stack.node import need_rsync
from windlass.stack.rehearsal import Rehearsal, rehearse
from windlass.stack.settings import REGION
from windlass.stack.stack import Stack

pytestmark = pytest.mark.e2e

PROJECT = "models/digits"
CI = """\
include:
  - {project: platform/windlass, ref: main, file: ci/train.yml, inputs: {project: digits, train_jobs: together}}
  - {project: platform/windlass, ref: main, file: ci/release.yml, inputs: {project: digits}}
  - project: platform/windlass
    ref: main
    file: ci/promote.yml
    inputs: {project: digits, environment: dev, needs: ["digits:release"]}
  - {project: platform/windlass, ref: main, file: ci/review.yml, inputs: {project: digits, auto_stop_in: 2 days}}
"""
REVIEW, STOP = "digits:review", "digits:review:stop"


class Place:
    """The example's repository, its project in GitLab, and a dev that its reviews are shown in."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack, self.folder = stack, folder
        shutil.copytree(ROOT / "examples/digits", folder, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        self.git("init", "-q", "-b", "work")
        (folder / ".gitlab-ci.yml").write_text(CI)
        subprocess.run([sys.executable, "make_data.py", "--out", folder.parent / "data"], cwd=folder, check=True)
        for name in ("train.csv", "holdout.csv"):
            body = (folder.parent / "data" / name).read_bytes()
            self.s3("root").put_object(Bucket="windlass-data", Key=f"dev/datasets/digits/{name}", Body=body)

    def git(self, *arguments: str) -> None:
        identity = ["-c", "user.name=Ann", "-c", "user.email=ann@windlass.local"]
        subprocess.run(["git", *identity, *arguments], cwd=self.folder, check=True)

    def push(self, event: str = "merge-request", **files: str) -> tuple[dict[str, str], Rehearsal]:
        """What became of each job after a commit with these files."""
        if files:
            for path, text in files.items():
                (self.folder / path).write_text(text)
            self.git("add", "-A")
            self.git("commit", "-qm", "A change")
        lines: list[str] = []
        done = rehearse(self.stack, self.folder, event, platform=ROOT, report=lines.append, output=lines.append)
        assert done.ok, "\n".join(lines)
        return {job.name: job.result for job in done.jobs}, done

    def s3(self, user: str) -> Any:
        key = self.stack.settings().root if user == "root" else self.stack.credentials(user)
        return boto3.client(
            "s3",
            endpoint_url=self.stack.url("s3"),
            region_name=REGION,
            aws_access_key_id=key.access_key_id,
            aws_secret_access_key=key.secret_access_key,
        )

    @property
    def gitlab(self) -> Any:
        settings = self.stack.settings()
        return gitlab.Gitlab(settings.url("gitlab"), private_token=settings.operator_token).projects.get(PROJECT)

    def environment(self, name: str) -> Any:
        (found,) = self.gitlab.environments.list(name=name, get_all=True)
        return self.gitlab.environments.get(found.id)

    def live(self) -> dict[str, ProjectState]:
        """What dev's state says."""
        state = load_current(open_bucket("windlass-code"), "dev").state
        return state.projects if state else {}

    def dags(self) -> dict[str, DagReport]:
        """What dev's Airflow has, rows of DAGs that went included."""
        settings = find_environment(load_environments(ROOT / "environments"), "dev").airflow
        assert settings is not None
        api = AirflowApi(resolve(settings, self.stack.airflow_login("dev"), "dev"), "dev")
        return {dag.dag_id: dag for dag in api.dags("windlass")}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A stack whose only Airflow is dev's."""
    try:
        need_rsync(lambda line: None)
    except WindlassError as missing:
        pytest.skip(str(missing))  # no rsync and not root: the sentence has the apt line
    for name in [name for name in os.environ if name.startswith(("AWS_", "CI_", "WINDLASS_"))]:
        monkeypatch.delenv(name)
    stack = Stack(tmp_path / "stack", environments=("dev",))
    try:
        stack.up()
        for name, value in stack.operator_variables("dev").items():
            monkeypatch.setenv(name, value)
        yield Place(stack, tmp_path / "digits")
    finally:
        stack.down()


def test_a_merge_request_is_seen_in_airflow_until_it_ends(place: Place) -> None:
    written = (place.folder / "pipelines/read_digits.yml").read_text()

    # the first push
    results, first = place.push(**{".gitlab-ci.yml": CI})
    assert results == {"digits:train": "passed", REVIEW: "passed", STOP: "manual"}
    assert (place.live()["digits_mr1"].commit, list(place.live())) == (first.commit, ["digits_mr1"])
    assert not place.dags()["read_digits_mr1"].is_stale
    environment = place.environment("review/digits-1")
    assert environment.external_url == f"{place.stack.url('dev')}/dags?tags=digits_mr1"
    assert (environment.state, environment.tier) == ("available", "development")
    assert environment.auto_stop_at > environment.created_at
    assert environment.last_deployment["sha"] == first.commit

    # another push takes its place
    changed = written.replace("that came in.", "that came in, read with care.", 1)
    assert changed != written
    _, second = place.push(**{"pipelines/read_digits.yml": changed})
    assert (place.live()["digits_mr1"].commit, first.commit != second.commit) == (second.commit, True)
    shas = [one.sha for one in place.gitlab.deployments.list(environment="review/digits-1", get_all=True)]
    assert shas == [first.commit, second.commit]

    # merged: GitLab's job takes the review out, and the real project comes
    results, merged = place.push("main")
    assert results == {
        STOP: "passed",
        "digits:train": "passed",
        "digits:release": "passed",
        "digits:promote:dev": "passed",
    }
    assert place.environment("review/digits-1").state == "stopped"
    assert {name: live.commit for name, live in place.live().items()} == {"digits": merged.commit}
    assert list(place.dags()) == ["read_digits"]

    # a merge request whose job nobody started: the schedule sees that it is closed
    _, third = place.push(**{"pipelines/read_digits.yml": changed.replace("with care", "with more care")})
    assert sorted(place.dags()) == ["read_digits", "read_digits_mr2"]
    place.gitlab.environments.get(place.environment("review/digits-2").id).stop(force=True)
    request = place.gitlab.mergerequests.get(2)
    request.state_event = "close"
    request.save()
    assert place.live()["digits_mr2"].commit == third.commit, "nothing but a word of GitLab has ended it"
    assert place.push("schedule")[0] == {"digits:review:closed": "passed"}
    assert (list(place.live()), list(place.dags())) == (["digits"], ["read_digits"])
