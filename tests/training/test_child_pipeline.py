"""The child pipeline has a job for each model, on the runner and in the image of its flavor, and GitLab accepts it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from tests.ci.listing import listed_jobs, repository
from windlass.cli.train import command
from windlass.spec.environment import load_environments
from windlass.spec.errors import WindlassError
from windlass.spec.model import Model
from windlass.spec.runner import Runner
from windlass.training.child_pipeline import Template, child_pipeline, metrics_report

MODEL = {
    "data": {"train": "train.csv"},
    "code": ["train.py"],
    "train": {
        "resource_flavor": "gpu",
        "docker_image": "python3-11",
        "execution_time": "2 hours",
        "execution_script": "python train.py {train} {model} {metrics}",
    },
    "outputs": {"model": "model.bin", "metrics": "metrics.json"},
}
RUNNERS = {"gpu": Runner(tags=["gpu", "large"], image="${REGISTRY}/training:1")}
TEMPLATE = Template("digits", "platform/windlass", "v1.2.3", "python:3.11")


def model(**train: Any) -> Model:
    return Model.model_validate(MODEL | {"train": MODEL["train"] | train})


def pipeline(*models: str, template: Template = TEMPLATE, **train: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(child_pipeline(dict.fromkeys(models, model(**train)), RUNNERS, template))
    return found


def test_each_model_has_a_job_where_its_flavor_says() -> None:
    written = pipeline("small", "large")
    assert [name for name in written if name != "include"] == ["digits:train:large", "digits:train:small"]
    job = written["digits:train:small"]
    assert (job["tags"], job["image"]) == (["gpu", "large"], "${REGISTRY}/training:1")
    assert job["script"] == ["windlass train small --metrics metrics.txt"]
    assert job["timeout"] == "150 minutes", "two hours of training, and what comes before and after it"
    assert job["artifacts"]["reports"] == {"metrics": "metrics.txt"}


def test_a_flavor_without_a_runner_takes_any_and_the_image_of_the_other_jobs() -> None:
    job = pipeline("small", resource_flavor="cpu")["digits:train:small"]
    assert not job.keys() & {"tags", "image"}


def test_the_rest_comes_from_the_platform_at_the_same_version_and_from_the_repositorys_own_file() -> None:
    (base,) = pipeline("small")["include"]
    assert (base["project"], base["ref"], base["file"]) == ("platform/windlass", "v1.2.3", "ci/base.yml")
    assert base["inputs"].keys() == {"project", "platform", "platform_ref", "image"}
    own = pipeline("small", template=Template("digits", "p/w", "main", "i", "ci/own.yml"))["include"]
    assert own[1:] == [{"local": "/ci/own.yml"}], "what is included later wins"


def test_without_models_one_job_says_so_and_needs_no_tool() -> None:
    job = pipeline()["digits:train:nothing"]
    assert job["before_script"] == []
    assert "nothing to train" in subprocess.check_output(["sh", "-c", job["script"][0]], text=True)


@pytest.mark.parametrize("models", [(), ("one",), ("one", "two")])
def test_gitlab_accepts_it(models: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "child.yml").write_text(json.dumps(pipeline(*models)))
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci"]
    command += ["--data-transform", "gitlab-ci", "child.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.stack
def test_its_jobs_run_in_a_child_and_only_there(tmp_path: Path) -> None:
    written = pipeline("one")
    written["include"] = [{"local": "/ci/base.yml", "inputs": written["include"][0]["inputs"]}]
    clone = repository(tmp_path, json.dumps(written))
    assert listed_jobs(clone, ["--variable", "CI_PIPELINE_SOURCE=parent_pipeline"]).keys() == {"digits:train:one"}
    assert listed_jobs(clone, ["--variable", "CI_PIPELINE_SOURCE=push"]) == {}


def test_the_command_writes_it_from_the_variables_of_its_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/reader.yml").write_text(yaml.safe_dump(MODEL))
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments/dev.yml").write_text(
        "s3: {code: c, models: m, data: d}\nflavors: {gpu: {gpus: 1}}\nrunners: {gpu: {tags: [gpu]}}\n"
    )
    monkeypatch.chdir(tmp_path)
    variables = {"WINDLASS_PROJECT": "digits", "WINDLASS_PLATFORM": "group/tool", "WINDLASS_PLATFORM_REF": "v9"}
    done = CliRunner().invoke(command, ["--child-pipeline", "child.yml"], env=variables, catch_exceptions=False)
    assert done.exit_code == 0
    written = yaml.safe_load((tmp_path / "child.yml").read_text())
    assert (written["include"][0]["project"], written["include"][0]["ref"]) == ("group/tool", "v9")
    assert written["digits:train:reader"]["tags"] == ["gpu"]


def test_a_runner_of_a_flavor_that_does_not_exist_is_refused_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "dev.yml").write_text("s3: {code: c, models: m, data: d}\nflavors: {gpu: {}}\nrunners: {gpo: {}}\n")
    with pytest.raises(WindlassError, match=r"runners: there is no flavor 'gpo'.*'gpu'"):
        load_environments(tmp_path)


def test_runners_are_no_part_of_what_pipelines_see(tmp_path: Path) -> None:
    (tmp_path / "dev.yml").write_text(
        "s3: {code: c, models: m, data: d}\nflavors: {g: {}}\nrunners: {g: {tags: [x]}}\n"
    )
    assert "runners" not in load_environments(tmp_path)["dev"].runtime.model_dump()


def test_metrics_are_lines_that_gitlab_compares() -> None:
    report = metrics_report({"b": {"f1 score": 0.5, "accuracy": 0.9751}, "a": {"loss": float("nan")}})
    assert report == 'loss{model="a"} nan\naccuracy{model="b"} 0.9751\nf1_score{model="b"} 0.5\n'
