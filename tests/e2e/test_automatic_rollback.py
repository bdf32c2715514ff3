"""A release that works in dev and stage and not in prod: prod goes back by itself, and the release stays out."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import ROOT, Demo
from tests.e2e.test_demo import client, content, history, states

pytestmark = pytest.mark.e2e

PROD = """\
extends: base
upstream: stage
verify:
  run: nightly_report
  delivers: "nightly/{run_id}.csv"
  on_failure: rollback
"""

WITHOUT_DATA = """\
dag: {name: nightly_report}
tasks:
  make:
    rows:
      job: {docker_image: python3-11, resource_flavor: cpu-1gb, execution_time: 1 minute,
            execution_script: "echo id > {out}"}
      outputs: {out: rows.csv}
  load:
    deliver: {operator_type: deliver, inputs: {rows: make.rows.out}, to: "nightly/{run_id}.csv"}
"""

WITH_DATA = """\
dag: {name: nightly_report}
tasks:
  take:
    rows: {operator_type: s3_to_file, key: incoming/nightly/batch.csv, outputs: {rows: rows.csv}}
  load:
    deliver: {operator_type: deliver, inputs: {rows: take.rows.rows}, to: "nightly/{run_id}.csv"}
"""


class Nightly:
    """A project that is delivered by hand, with prod's own way of verifying."""

    def __init__(self, demo: Demo, folder: Path) -> None:
        self._demo, self._folder = demo, folder / "nightly"
        self._environments = folder / "environments"
        shutil.copytree(ROOT / "environments", self._environments)
        (self._environments / "prod.yml").write_text(PROD)
        (self._folder / "pipelines").mkdir(parents=True)
        self._git("init", "-q")

    def commit(self, pipeline: str, message: str) -> str:
        """The digest of the release of a new commit with this pipeline, live in dev and stage."""
        (self._folder / "pipelines/nightly_report.yml").write_text(pipeline)
        self._git("add", "-A")
        self._git("-c", "user.name=Test", "-c", "user.email=test@example.org", "commit", "-qm", message)
        release = json.loads(self.must("release", "--json", environment="dev"))["release"]
        for environment in ("dev", "stage"):
            self.must("promote", "--to", environment, environment=environment)
        return str(release)

    def must(self, *arguments: str, environment: str = "prod") -> str:
        done = self.windlass(*arguments, environment=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def windlass(self, *arguments: str, environment: str = "prod") -> subprocess.CompletedProcess[str]:
        settings = {"WINDLASS_PROJECT": "nightly", "WINDLASS_ENVIRONMENTS": str(self._environments)}
        return self._demo.windlass(*arguments, folder=self._folder, environment=environment, **settings)

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self._folder, check=True)


def test_prod_goes_back_by_itself_and_takes_the_release_when_its_data_is_there(demo: Demo, tmp_path: Path) -> None:
    nightly = Nightly(demo, tmp_path)
    good = nightly.commit(WITHOUT_DATA, "Rows out of thin air")
    nightly.must("promote", "--to", "prod")

    bad = nightly.commit(WITH_DATA, "Rows from the batch, which nobody delivers to prod")
    done = nightly.windlass("promote", "--to", "prod")
    assert done.returncode == 2, done.stderr
    assert "prod is back at" in done.stderr.splitlines()[-1], done.stderr
    prod = states(demo)["prod"]
    assert prod["projects"]["nightly"]["release"] == good
    assert [(hold["project"], hold["release"]) for hold in prod["holds"]] == [("nightly", bad)]
    assert prod["deployment"]["action"] == "rollback"
    assert "digits" in prod["projects"], "the other project stays as it was"

    done = nightly.windlass("promote", "--to", "prod")
    assert (done.returncode, "on hold" in done.stderr) == (2, True), done.stderr
    assert states(demo)["prod"]["state"] == prod["state"]

    key = "prod/incoming/nightly/batch.csv"
    client(demo.stack, "operator").put_object(Bucket="windlass-data", Key=key, Body=b"id\n7\n")
    nightly.must("release-hold", "prod", "--release", bad, "--reason", "the batch is there now")
    answer = json.loads(nightly.must("promote", "--to", "prod", "--json"))
    assert answer["verdict"]["result"] == "pass"
    assert content(demo, "windlass-data", answer["verdict"]["run"]["delivered"]) == b"id\n7\n"
    actions = [record["deployment"]["action"] for record in history(demo, "prod")[:4]]
    assert actions == ["promote", "release-hold", "rollback", "promote"]
