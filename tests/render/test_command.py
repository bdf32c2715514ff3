"""`windlass render` as a command: what it prints, writes and refuses."""

import ast
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from windlass.cli.render import command

from .golden_project import GOLDEN, PROJECT

MODEL = """
data: {train: "s3://windlass-data/train.csv"}
code: [train.py]
train:
  resource_flavor: cpu-1gb
  docker_image: python3-11
  execution_time: 10 minutes
  execution_script: python train.py {train} {metrics}
outputs: {metrics: metrics.json}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("WINDLASS_ENVIRONMENTS", "WINDLASS_PROJECT", "CI_PROJECT_NAME"):
        monkeypatch.delenv(name, raising=False)
    shutil.copytree(PROJECT, tmp_path / "digits")
    for folder in ("pipelines", "models"):
        (tmp_path / "digits" / folder).mkdir()
    (tmp_path / "digits/train.py").touch()
    (tmp_path / "digits/models/digits.yml").write_text(MODEL)
    for name in ("read_digits", "orders"):
        shutil.copy(GOLDEN / f"{name}.yml", tmp_path / "digits/pipelines")
    monkeypatch.chdir(tmp_path / "digits")
    return tmp_path / "digits"


def render(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def test_a_pipeline_is_printed_as_its_golden_module(project: Path) -> None:
    result = render("pipelines/read_digits.yml", "--pin", "digits=0123456789abcdef", "--project", "digits")
    assert (result.exit_code, result.output) == (0, (GOLDEN / "read_digits.py").read_text() + "\n")


def test_without_paths_all_pipelines_are_printed(project: Path) -> None:
    result = render("--project", "digits")
    assert result.exit_code == 0
    assert 'dag_id="read_digits"' in result.output and 'dag_id="orders"' in result.output


def test_out_writes_the_project_as_a_release_holds_it(project: Path, tmp_path: Path) -> None:
    result = render("--out", "../build", "--project", "my-digits")
    assert result.exit_code == 0 and result.output.endswith("files in ../build/my_digits\n")
    dag = (tmp_path / "build/my_digits/dags/orders.py").read_text()
    assert "from my_digits.operators.deliver import Deliver" in dag and ast.parse(dag)
    assert (tmp_path / "build/my_digits/runtime/settings.py").exists()


def test_problems_are_shown_in_place_of_a_dag(project: Path) -> None:
    (project / "pipelines/bad.yml").write_text("dag: {name: bad}\ntasks: {a: {b: {operator_type: nothing}}}\n")
    result = render("pipelines/orders.yml")
    assert result.exit_code == 1
    assert result.output.startswith("pipelines/bad.yml:2:32: there is no operator 'nothing'")


def test_env_takes_the_versions_that_the_environment_makes(project: Path) -> None:
    (project / "environments").mkdir()
    job = "flavors: {cpu-1gb: {}}\nimages: {python3-11: 'python:3.11'}\n"
    (project / "environments/dev.yml").write_text(f"s3: {{code: c, models: m, data: d}}\n{job}")
    (project / "models/digits.yml").write_text(MODEL.replace("s3://windlass-data/train.csv", "train.csv"))
    (project / "train.csv").write_text("1,2\n")
    first = render("--env", "dev", "pipelines/read_digits.yml")
    assert re.search(r'"model:digits@[0-9a-f]{16}"', first.output), first.output
    (project / "train.csv").write_text("1,3\n")
    assert render("--env", "dev", "pipelines/read_digits.yml").output != first.output
    assert "model:digits@0123456789abcdef" in render("--env", "dev", "--pin", "digits=0123456789abcdef").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--pin", "digit=0123456789abcdef"], "there is no model 'digit'; did you mean 'digits'?"),
        (["--pin", "digits=latest"], "a version is 16 hex digits"),
        (["models/digits.yml"], "is no pipeline of the project here"),
        (["--project", "json"], "a Python package of that name exists"),
    ],
)
def test_a_request_that_cannot_be_met_says_why(arguments: list[str], message: str, project: Path) -> None:
    result = render(*arguments)
    assert result.exit_code != 0 and message in str(result.exception)
