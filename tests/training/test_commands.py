"""`windlass train` and `windlass test` as a shell sees them, against a real S3 server."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from tests.fakes.s3_server import CREDENTIALS, moto_server
from tests.training.projects import TRAIN, make_project
from windlass.spec.environment import Buckets, RuntimeSettings
from windlass.spec.state import Deployment, ProjectState, State

pytestmark = pytest.mark.stack

MODEL: dict[str, Any] = {
    "data": {"train": "s3://data/dev/train.csv"},
    "code": ["src", "accuracy.txt"],
    "parameters": {"factor": 2},
    "train": {
        "docker_image": "python3-11",
        "execution_time": "20 seconds",
        "execution_script": "python src/train.py {train} {factor} {model} {metrics}",
    },
    "outputs": {"model": "model.txt", "metrics": "metrics.json"},
    "tests": "echo tests run",
    "gates": {"accuracy": {"at_least": 0.95, "not_below": "live"}},
}


class Shell:
    """A repository with an environment, and the command line in it."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self.project = make_project(folder)
        self.endpoint = endpoint
        buckets = {"endpoint": "${S3}", "code": "code", "models": "models", "data": "data"}
        self.project.write("environments/dev.yml", yaml.safe_dump({"s3": buckets}))
        self.write_model()

    def write_model(self, **changes: Any) -> None:
        self.project.write("models/digits.yml", yaml.safe_dump(MODEL | changes))

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "S3": self.endpoint, **CREDENTIALS, **variables}
        command = [sys.executable, "-c", "from windlass.cli.main import main; main()", *arguments]
        folder = self.project.folder
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    def make_live(self, project: str, version: str) -> None:
        """Writes a state in which `version` of the model is live."""
        state = State(
            serial=1,
            previous=None,
            environment=RuntimeSettings(name="dev", prefix="dev", s3=Buckets(code="c", models="m", data="d")),
            projects={project: ProjectState(release="a" * 64, commit="c", models={"digits": version})},
            deployment=Deployment(action="promote", project=project, release="a" * 64, commit="c", at="now"),
        )
        s3 = boto3.client("s3", endpoint_url=self.endpoint, **_credentials())
        s3.put_object(Bucket="code", Key="dev/state.json", Body=state.to_json())

    def keys(self) -> list[str]:
        s3 = boto3.client("s3", endpoint_url=self.endpoint, **_credentials())
        return [found["Key"] for found in s3.list_objects_v2(Bucket="models").get("Contents", [])]


def _credentials() -> dict[str, str]:
    return {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with moto_server("code", "models", "data") as endpoint:
        s3 = boto3.client("s3", endpoint_url=endpoint, **_credentials())
        s3.put_object(Bucket="data", Key="dev/train.csv", Body=b"rows\n")
        yield Shell(tmp_path / "digits_model", endpoint)


def test_train_keeps_a_model_once_and_says_so(shell: Shell) -> None:
    first = shell.run("train")
    assert first.returncode == 0, first.stderr
    assert "tests run" in first.stderr
    assert first.stdout.split()[:6] == ["model", "version", "metrics", "gates", "seconds", "digits"]
    assert "accuracy 0.97" in first.stdout
    second = shell.run("train", "digits", "--json", CI_COMMIT_SHA="c" * 40)
    (outcome,) = json.loads(second.stdout)
    assert outcome["trained"] is False
    assert len(shell.keys()) == 2


def test_a_refused_model_ends_with_1_and_its_reasons(shell: Shell) -> None:
    shell.write_model(gates={"accuracy": {"at_least": 0.99}})
    done = shell.run("train")
    assert done.returncode == 1
    assert "model digits: metric 'accuracy' is 0.97, below the gate's at_least 0.99" in done.stderr
    assert shell.keys() == []


def test_a_model_worse_than_the_live_one_is_refused(shell: Shell) -> None:
    (live,) = json.loads(shell.run("train", "--json").stdout)
    shell.make_live("digits_model", live["version"])
    shell.project.write("accuracy.txt", "0.96")
    done = shell.run("train")
    assert done.returncode == 1
    assert "metric 'accuracy' is 0.96, below the live version's 0.97" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "variables", "code", "message"),
    [
        (["train", "digit"], {}, 2, "there is no model 'digit' in models/; did you mean 'digits'?"),
        (["train"], {"S3": ""}, 2, "S3"),
        (["train"], {"S3": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}, 75, "s3://"),
        (["test", "letters"], {}, 2, "there is no model 'letters'"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    shell: Shell, arguments: list[str], variables: dict[str, str], code: int, message: str
) -> None:
    done = shell.run(*arguments, **variables)
    assert (done.returncode, message in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_model_file_is_named_with_its_line(shell: Shell) -> None:
    shell.project.write("models/digits.yml", "data: {}\ncode: []\n")
    done = shell.run("train")
    assert done.returncode == 2
    assert "models/digits.yml:" in done.stderr


def test_metrics_are_shown_as_they_are_named(shell: Shell) -> None:
    shell.project.write("src/train.py", TRAIN.replace('{"accuracy"', '{"[/x]": 1, "accuracy"'))
    done = shell.run("train")
    assert "[/x] 1, accuracy 0.97" in done.stdout, done.stderr


def test_missing_data_are_named(shell: Shell) -> None:
    shell.write_model(data={"train": "s3://data/dev/none.csv"})
    done = shell.run("train")
    assert done.returncode == 2
    assert "there is no object s3://data/dev/none.csv" in done.stderr


def test_test_runs_the_models_tests(shell: Shell) -> None:
    done = shell.run("test")
    assert done.returncode == 0
    assert "model digits: the test run ended well" in done.stdout
    shell.write_model(tests="echo broken; exit 3")
    done = shell.run("test", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["models"][0]["reason"] == "ended with exit code 3"
    assert "broken" in done.stderr


def test_a_project_without_models_has_nothing_to_do(shell: Shell) -> None:
    (shell.project.folder / "models" / "digits.yml").unlink()
    assert shell.run("train").returncode == 0
    assert shell.run("test").returncode == 0
