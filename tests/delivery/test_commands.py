"""The commands of a delivery, from the first training to a rollback, over a real S3 protocol and real git."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.http_stub import Request, http_stub
from tests.fakes.s3_server import CREDENTIALS, moto_server
from windlass.adapters.s3 import open_bucket
from windlass.cli.context import OpenStore
from windlass.cli.main import main
from windlass.spec.store import Store

FILES = {
    "pipelines/read_digits.yml": """\
dag: {name: read_digits, description: Reads digits., tags: [digits]}
tasks:
  extract:
    images: {operator_type: s3_to_file, key: incoming/batch.csv, outputs: {images: images.csv}}
  transform:
    score:
      job:
        resource_flavor: small
        docker_image: python
        execution_time: 5 minutes
        execution_script: python {model}/score.py {images} {out}
      inputs: {images: extract.images.images, model: "model:digits"}
      outputs: {out: out.csv}
  load:
    keep: {operator_type: deliver, to: digits.csv, inputs: {data: transform.score.out}}
""",
    "models/digits.yml": """\
description: Knows digits.
data: {train: train.csv}
code: [train.py]
train:
  resource_flavor: small
  docker_image: python
  execution_time: 1 minute
  execution_script: python train.py {train} {model} {metrics}
outputs: {model: digits.txt, metrics: metrics.json}
gates: {accuracy: {at_least: 0.5, not_below: live}}
""",
    "train.py": """\
import json, sys
train, model, metrics = sys.argv[1:]
open(model, "w").write(open(train).read())
json.dump({"accuracy": float(open(train).read())}, open(metrics, "w"))
""",
    "train.csv": "0.9\n",
    "environments/base.yml": """\
s3: {endpoint: "${S3}", code: windlass, models: windlass, data: windlass}
flavors: {small: {cpus: 1, memory: 1Gi}}
images: {python: "python:3.11-slim"}
""",
    "environments/dev.yml": "extends: base\n",
    "environments/stage.yml": "extends: base\nupstream: dev\n",
}

pytestmark = pytest.mark.stack

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    with moto_server("windlass") as endpoint:
        yield endpoint


@pytest.fixture
def project(tmp_path: Path, s3: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model repository with one commit, on a store of its own."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "CI", "GITLAB", "WINDLASS"))]:
        monkeypatch.delenv(name)
    for name, value in {**CREDENTIALS, "S3": s3, "AWS_EC2_METADATA_DISABLED": "true", "USER": "ann"}.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "digits"
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(
            text.replace("extends: base", f"extends: base\nprefix: {tmp_path.name}-{Path(path).stem}")
        )
    monkeypatch.chdir(folder)
    git("init", "-q", "-b", "main")
    commit("one")
    return folder


@pytest.fixture
def store(s3: str) -> Store:
    """The bucket that the commands work in."""
    return open_bucket("windlass", s3)


@pytest.fixture
def windlass(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, open_store: OpenStore | None) -> Run:
    """Runs a command as a shell would; returns its exit code, standard output and standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["windlass", *arguments])
        with pytest.raises(SystemExit) as ended:
            main(open_store)
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


def git(*arguments: str) -> str:
    command = ["git", "-c", "user.name=ann", "-c", "user.email=ann@example.com", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(message: str) -> str:
    git("add", "-A")
    git("commit", "-q", "-m", message)
    return git("rev-parse", "HEAD")


def deliver(windlass: Run, to: str = "dev") -> dict[str, Any]:
    for command in (["train"], ["release"]):
        code, _, err = windlass(*command)
        assert code == 0, err
    code, out, err = windlass("promote", "--to", to, "--json")
    assert code == 0, err
    result: dict[str, Any] = json.loads(out)
    return result


def test_a_delivery_from_training_to_rollback(project: Path, windlass: Run, s3: str) -> None:
    code, out, err = windlass("plan", "--to", "dev")
    assert code == 1, err
    assert "+ pipeline read_digits" in out
    assert "is not trained yet" in out

    code, _, err = windlass("release")
    assert code == 2
    assert "model 'digits': version" in err
    assert "is not trained in dev; run windlass train" in err

    first = deliver(windlass)
    assert first["changed"]
    assert first["pipelines"]["added"] == ["read_digits"]
    assert windlass("plan", "--to", "dev")[0] == 0

    code, out, err = windlass("promote", "--to", "stage")
    assert code == 0, err
    assert "stage: digits from nothing to" in out
    assert "names no airflow" in err
    code, out, err = windlass("promote", "--to", "stage")
    assert (code, "nothing to do" in out) == (0, True), err

    (project / "train.csv").write_text("0.95\n")
    commit("two")
    git("tag", "v2")
    second = deliver(windlass)
    assert [model["metrics_after"] for model in second["models"]] == [{"accuracy": 0.95}]
    code, out, err = windlass("promote", "--to", "stage", "--tag", "v2")
    assert code == 0, err
    assert second["state"] in windlass("status")[1]
    code, out, _ = windlass("status", "--json")
    live = {one["environment"]: one["projects"]["digits"] for one in json.loads(out)}
    assert live["dev"]["release"] == live["stage"]["release"] == second["after"]["release"]
    assert live["stage"]["tag"] == "v2"

    code, out, err = windlass("rollback", "stage", "--reason", "scores drift", "--json")
    assert code == 0, err
    assert json.loads(out)["after"]["release"] == first["after"]["release"]
    code, out, err = windlass("rollback", "stage")
    assert (code, "nothing to do" in out) == (0, True), err

    code, out, err = windlass("history", "stage", "--verify")
    assert code == 0, err
    assert "3 records, whole and in order" in out
    assert "scores drift" in out
    store = open_bucket("windlass", s3)
    key = f"{project.parent.name}-stage/ledger/2.json"
    store.put(key, store.get(key).content.replace(b"ann", b"bob"))
    code, out, err = windlass("history", "stage", "--verify")
    assert code == 1
    assert f"{key} tells another story" in err


def test_a_model_that_is_worse_than_the_live_one_is_refused_by_plan_and_promote(project: Path, windlass: Run) -> None:
    deliver(windlass)
    assert windlass("promote", "--to", "stage")[0] == 0
    (project / "models/digits.yml").write_text(FILES["models/digits.yml"].replace(", not_below: live", ""))
    (project / "train.csv").write_text("0.6\n")
    commit("worse, and dev does not mind")
    deliver(windlass)
    (project / "models/digits.yml").write_text(FILES["models/digits.yml"])
    (project / "train.csv").write_text("0.7\n")
    commit("better than dev, worse than stage")
    deliver(windlass)
    code, out, err = windlass("plan", "--to", "stage", "--commit", "HEAD")
    assert code == 2
    assert "refused: model 'digits'" in out
    code, out, err = windlass("promote", "--to", "stage")
    assert code == 2
    assert "metric 'accuracy' is 0.7, below the live version's 0.9" in err


def test_a_release_that_was_never_live_upstream_is_not_promoted(project: Path, windlass: Run) -> None:
    windlass("train")
    windlass("release")
    code, _, err = windlass("promote", "--to", "stage")
    assert code == 2
    assert "was never live in dev; promote it there first" in err


def test_files_that_differ_from_the_commit_are_not_released(project: Path, windlass: Run) -> None:
    (project / "train.csv").write_text("1\n")
    code, _, err = windlass("release")
    assert code == 2
    assert "differ from commit" in err


def test_a_problem_in_a_pipeline_stops_the_release_with_its_place(project: Path, windlass: Run) -> None:
    path = project / "pipelines/read_digits.yml"
    path.write_text(path.read_text().replace("operator_type: deliver", "operator_type: delivr"))
    commit("broken")
    code, out, _ = windlass("release")
    assert code == 1
    assert "pipelines/read_digits.yml:15:" in out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["promote", "--to", "moon"], 2, "there is no environment 'moon'"),
        (["promote", "--to", "dev"], 2, "run windlass release for it"),
        (["promote", "--to", "dev", "--release", "xyz"], 2, "at least 8 hex digits"),
        (["rollback", "dev"], 2, "was never promoted to dev"),
        (["verify", "dev"], 2, "was never promoted to dev"),
        (["promote"], 2, "Missing option '--to'"),
        (["plan", "--to", "dev", "--project", "json"], 2, "a Python package of that name exists"),
    ],
)
def test_a_request_that_cannot_be_met_is_one_sentence(
    project: Path, windlass: Run, arguments: list[str], code: int, words: str
) -> None:
    actual, _, err = windlass(*arguments)
    assert (actual, words in err) == (code, True), err
    assert "Traceback" not in err


def test_variables_that_are_not_set_are_listed(project: Path, windlass: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("S3")
    code, _, err = windlass("status")
    assert code == 2
    assert "needs variables that are not set: S3" in err


def test_a_store_that_is_away_is_worth_another_try_and_a_missing_bucket_is_not(
    project: Path, windlass: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = project / "environments/base.yml"
    base.write_text(FILES["environments/base.yml"].replace("code: windlass", "code: elsewhere"))
    code, _, err = windlass("status")
    assert (code, "there is no bucket 'elsewhere'" in err) == (3, True)
    monkeypatch.setenv("S3", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    code, _, err = windlass("status")
    assert (code, "S3 does not answer" in err) == (75, True)


def test_an_airflow_that_is_away_is_found_before_anything_changes(
    project: Path, windlass: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = project / "environments/base.yml"
    base.write_text(
        base.read_text() + "airflow: {url: 'http://127.0.0.1:1', username: windlass, password: '${PASSWORD}'}\n"
    )
    commit("airflow")
    monkeypatch.setenv("PASSWORD", "do not print me")
    windlass("train")
    windlass("release")
    code, out, err = windlass("promote", "--to", "dev")
    assert (code, "Airflow of dev (http://127.0.0.1:1) does not answer" in err) == (75, True)
    assert "do not print me" not in out + err
    assert json.loads(windlass("status", "dev", "--json")[1])[0]["state"] is None


def test_in_ci_the_record_names_job_author_merge_request_and_tag(
    project: Path, windlass: Run, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> tuple[int, Any]:
        asked.append(request)
        if "merge_requests" in request.path:
            return 200, [{"iid": 7, "title": "T", "state": "merged", "author": {"username": "bob"}, "web_url": "u"}]
        return (201, request.body) if request.method == "POST" else (404, {})

    with http_stub(answer) as gitlab:
        for name, value in {
            "CI": "true",
            "CI_SERVER_URL": gitlab.url,
            "CI_PROJECT_ID": "42",
            "CI_PROJECT_URL": f"{gitlab.url}/ocr/digits",
            "CI_JOB_TOKEN": "job",
            "CI_JOB_URL": f"{gitlab.url}/jobs/1",
            "CI_COMMIT_SHA": git("rev-parse", "HEAD"),
            "CI_COMMIT_TAG": "v1",
            "GITLAB_USER_LOGIN": "bob",
        }.items():
            monkeypatch.setenv(name, value)
        deliver(windlass)
        code, out, err = windlass("promote", "--to", "stage", "--json")
        assert code == 0, err
        assert json.loads(out)["after"]["tag"] == "v1"
        assert json.loads(out)["after"]["url"] == f"{gitlab.url}/ocr/digits"
        assert [request.body["tag_name"] for request in asked if request.path.endswith("/releases")] == ["v1"]
    deployment = json.loads(windlass("status", "stage", "--json")[1])[0]["deployment"]
    assert (deployment["actor"], deployment["job_url"]) == ("bob", f"{gitlab.url}/jobs/1")
    store = open_bucket("windlass", s3)
    key = next(iter(store.list(f"{project.parent.name}-stage/provenance/")))
    assert json.loads(store.get(key).content)["merge_request"]["iid"] == 7
    (project / "train.csv").write_text("0.99\n")
    monkeypatch.setenv("CI_COMMIT_SHA", commit("gitlab is away now"))
    windlass("train")
    code, _, err = windlass("release")
    assert code == 0
    assert "will not say which merge request it came from" in err


@pytest.mark.parametrize("command", ["release", "plan", "promote", "verify", "rollback", "status", "history"])
def test_help_has_examples(windlass: Run, command: str) -> None:
    code, out, _ = windlass(command, "--help")
    assert code == 0
    assert "Examples:" in out
    assert f"windlass {command}" in out
    assert "--json" in out
