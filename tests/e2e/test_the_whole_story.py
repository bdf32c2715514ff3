"""The whole story on real services: approvals, tags, a gate, a verification that fails, a freeze and an override.

What jobs decide is decided in the templates' own jobs; what people do, they do to GitLab with tokens of their own.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import gitlab
import pytest

from tests.e2e.conftest import ROOT, Demo
from tests.e2e.test_demo import client, history, keys, states
from windlass.spec.errors import ServiceError
from windlass.stack.people import People
from windlass.stack.rehearsal import Rehearsal, rehearse

pytestmark = pytest.mark.e2e

MAINTAINER = 40
PATH = "models/tale"
GATE = """\
gate:
  approvals: 1
  roles: {data-engineer: 1}
  tag: {protected: true, roles: [developer]}
  override: {people: 2, roles: [manager, developer], for: 4 hours}
"""
PROD = """\
extends: base
upstream: stage
verify: {run: tale_report, delivers: "tale/{run_id}.csv", on_failure: rollback}
"""
ROLES = "data-engineer: {users: [bob]}\nmanager: {users: [mia]}\ndeveloper: {users: [dev]}\n"
CI = """\
include:
  - {project: platform/windlass, ref: main, file: ci/model.yml, inputs: {project: tale, check: false}}
"""
WITHOUT_DATA = """\
dag: {name: tale_report, description: Tells a tale.}
tasks:
  make:
    rows:
      job: {docker_image: python3-11, resource_flavor: cpu-1gb, execution_time: 1 minute,
            execution_script: "echo %s > {out}"}
      outputs: {out: rows.csv}
  load:
    deliver: {operator_type: deliver, inputs: {rows: make.rows.out}, to: "tale/{run_id}.csv"}
"""
WITH_DATA = """\
dag: {name: tale_report, description: Tells a tale.}
tasks:
  take:
    rows: {operator_type: s3_to_file, key: incoming/tale/batch.csv, outputs: {rows: rows.csv}}
  load:
    deliver: {operator_type: deliver, inputs: {rows: take.rows.rows}, to: "tale/{run_id}.csv"}
"""


class Tale:
    """A project of ann, the platform with a gate before prod, and the people around them."""

    def __init__(self, demo: Demo, folder: Path) -> None:
        self.demo, self.folder, self.platform = demo, folder / "tale", folder / "platform"
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file() and not name.startswith("tests/"):
                (self.platform / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, self.platform / name)
        (self.platform / "environments/prod.yml").write_text(PROD + GATE)
        (self.platform / "environments/roles.yml").write_text(ROLES)
        git(self.platform, "init", "-q")
        self.folder.mkdir()
        git(self.folder, "init", "-q", "-b", "tale")
        (self.folder / ".gitlab-ci.yml").write_text(CI)
        settings = demo.stack.settings()
        self.people = People(settings.url("gitlab"), settings.operator_token)
        self.url = settings.url("gitlab")

    def commit(self, pipeline: str, message: str) -> None:
        (self.folder / "pipelines").mkdir(exist_ok=True)
        (self.folder / "pipelines/tale_report.yml").write_text(pipeline)
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-qm", message)

    def happen(self, event: str, user: str, tag: str | None = None) -> tuple[Rehearsal, str]:
        """The event's pipeline, and all that was said."""
        lines: list[str] = []
        token = {"WINDLASS_GITLAB_TOKEN": self.people.token("root")}
        found = rehearse(
            self.demo.stack, self.folder, event,
            tag=tag, platform=self.platform, variables=token, user=user, report=lines.append, output=lines.append,
        )  # fmt: skip
        return found, "\n".join(lines)

    def of(self, name: str) -> Any:
        return self.people.api(name).projects.get(PATH)

    def request(self) -> Any:
        """ann's merge request that is open, as the operator sees it."""
        (found,) = self.of("root").mergerequests.list(state="opened", get_all=True)
        return self.of("root").mergerequests.get(found.iid)

    def approve(self, request: Any, name: str) -> None:
        self.of(name).mergerequests.get(request.iid).approve()

    def job(self, user: str, tag: str, *command: str) -> subprocess.CompletedProcess[str]:
        """A manual job of the tag's pipeline, as its button runs it."""
        project = self.of("root")
        commit = project.tags.get(tag).commit["id"]
        about = {"ref": tag, "sha": commit, "tag": True, "source": "push"}
        with self.people.pipeline(project, user, about) as started:
            variables = {
                "GITLAB_CI": "true",
                "CI": "true",
                "CI_SERVER_URL": self.url,
                "CI_PROJECT_ID": str(project.id),
                "CI_PROJECT_PATH": PATH,
                "CI_COMMIT_SHA": commit,
                "CI_COMMIT_TAG": tag,
                "CI_JOB_TOKEN": started.token,
                "WINDLASS_PLATFORM": "platform/windlass",
                "WINDLASS_PROJECT": "tale",
                "WINDLASS_ENVIRONMENTS": str(self.platform / "environments"),
            }
            return self.demo.windlass(*command, folder=self.folder, environment="prod", **variables)


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@windlass.local"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True)


def results(rehearsal: Rehearsal) -> dict[str, str]:
    return {job.name.removeprefix("tale:"): job.result for job in rehearsal.jobs}


def deployments(tale: Tale) -> list[Any]:
    """What GitLab says went to prod and did well."""
    return list(tale.of("root").deployments.list(environment="prod", status="success", get_all=True))


def live(demo: Demo, name: str) -> str | None:
    """The commit of the tale that S3 says is live."""
    found = states(demo)[name]["projects"].get("tale")
    return str(found["commit"]) if found else None


def test_from_a_failing_gate_to_an_override(demo: Demo, tmp_path: Path) -> None:
    tale = Tale(demo, tmp_path)
    people = tale.people

    # a draft that nobody approved: the gate's job fails, and may; ready, it may not
    tale.commit(WITHOUT_DATA % 1, "Draft: A tale")
    drafted, said = tale.happen("merge-request", "ann")
    assert drafted.ok, said
    assert results(drafted)["gate:prod:merge-request"] == "allowed to fail", said
    assert "needs 1 approval by data-engineer and has 0: nobody" in said
    for name in ("mia", "dev"):
        people.join(name, tale.of("root"), MAINTAINER)
    for name in ("bob", "zoe"):
        people.join(name, tale.of("root"))
    tale.of("root").protectedtags.create({"name": "v*", "create_access_level": MAINTAINER})
    request = tale.request()
    request.title = "A tale"
    request.save()
    ready, said = tale.happen("merge-request", "ann")
    assert not ready.ok
    assert results(ready)["gate:prod:merge-request"] == "failed", said
    assert len([note for note in request.notes.list(get_all=True) if "windlass:plan:tale:dev" in note.body]) == 1

    # approvals given, withdrawn, given before a push and after it
    tale.approve(request, "bob")
    tale.of("bob").mergerequests.get(request.iid).unapprove()
    tale.approve(request, "bob")
    tale.commit(WITHOUT_DATA % 2, "Another end")
    stale, said = tale.happen("merge-request", "ann")
    assert not stale.ok
    assert "bob approved before the last push" in said
    tale.of("bob").mergerequests.get(request.iid).unapprove()
    tale.approve(request, "bob")
    approved, said = tale.happen("merge-request", "ann")
    assert results(approved)["gate:prod:merge-request"] == "passed", said
    assert approved.ok

    # merged; dev and stage
    delivered, said = tale.happen("main", "mia")
    assert delivered.ok, said
    good = delivered.commit
    assert [live(demo, name) for name in ("dev", "stage", "prod")] == [good, good, None]

    # tags by the wrong person, and by the right one
    with pytest.raises(ServiceError, match="not allowed to create this tag as it is protected"):
        tale.happen("tag", "zoe", "v1.0.0")
    wrong, said = tale.happen("tag", "mia", "v1.0.0")
    assert (wrong.ok, results(wrong)["promote:prod"]) == (False, "failed"), said
    assert "tag v1.0.0 was pushed by mia, who is no developer; remove it and let dev push it" in said
    assert live(demo, "prod") is None
    right, said = tale.happen("tag", "dev", "v1.0.1")
    assert right.ok, said
    assert live(demo, "prod") == good
    (deployment,) = deployments(tale)
    assert deployment.sha == good
    assert [one.iid for one in deployment.mergerequests.list(get_all=True)] == [request.iid]
    assert [release.tag_name for release in tale.of("root").releases.list(get_all=True)] == ["v1.0.1"]

    # the line is stopped; what nobody approved comes by two people's word
    frozen = tale.job("bob", "v1.0.1", "freeze", "prod", "--reason", "scores drift")
    assert frozen.returncode == 0, frozen.stderr
    tale.commit(WITH_DATA, "Rows from the batch, which nobody delivers to prod")
    unapproved, _ = tale.happen("merge-request", "ann")
    assert not unapproved.ok
    merged, said = tale.happen("main", "mia")
    assert merged.ok, said
    refused, said = tale.happen("tag", "dev", "v1.1.0")
    assert not refused.ok
    assert "prod was frozen by bob" in said
    assert "needs 1 approval after its last push and has 0: nobody" in said
    assert live(demo, "prod") == good
    alone = tale.job("zoe", "v1.1.0", "override", "prod", "--reason", "now")
    assert (alone.returncode, "zoe may not override the gate of prod" in alone.stderr) == (2, True), alone.stderr
    for person in ("mia", "dev"):
        word = tale.job(person, "v1.1.0", "override", "prod", "--reason", "it is urgent")
        assert word.returncode == 0, word.stderr

    # it passes the gate then, fails in prod, and prod goes back by itself
    failed, said = tale.happen("tag", "dev", "v1.1.1")
    assert not failed.ok
    assert "overridden: prod was frozen by bob" in said
    assert "prod is back at v1.0.1" in said
    assert live(demo, "prod") == good
    assert demo.windlass("verify", "prod", folder=tale.folder, WINDLASS_PROJECT="tale").returncode == 0
    back = states(demo)["prod"]
    assert [hold["project"] for hold in back["holds"]] == ["tale"]
    assert back["frozen"]["actor"] == "bob"
    actions = [record["deployment"]["action"] for record in history(demo, "prod")]
    assert actions[:3] == ["rollback", "promote", "hold"], "the freeze is a kind of hold"
    assert {one.sha for one in deployments(tale)} == {good}
    thawed = tale.job("mia", "v1.1.1", "unfreeze", "prod", "--reason", "out")
    assert thawed.returncode == 0, thawed.stderr

    # both decisions are judged again from their bytes alone
    decisions = [key for key in keys(demo, "windlass-code", "prod/provenance/tale/") if "/gate/" in key]
    assert len(decisions) == 2
    for key in decisions:
        body = client(demo.stack, "operator").get_object(Bucket="windlass-code", Key=key)["Body"].read()
        file = tmp_path / Path(key).name
        file.write_bytes(body)
        again = demo.windlass("gate", "--replay", str(file), "--json", AWS_ENDPOINT_URL="http://127.0.0.1:9")
        assert json.loads(again.stdout)["same"], again.stderr
        altered = body.replace(b"mia", b"moa", 1)
        assert altered != body
        file.write_bytes(altered)
        assert demo.windlass("gate", "--replay", str(file)).returncode == 2
    with pytest.raises(gitlab.GitlabError):
        tale.of("bob").mergerequests.get(request.iid).approve()
