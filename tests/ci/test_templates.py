"""The CI files are what GitLab accepts, carry the including project's name everywhere and call commands that exist."""

import itertools
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from windlass.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
TEMPLATES = sorted((ROOT / "ci").glob("*.yml"))
SAMPLE = {"project": "digits", "environment": "stage", "platform": "group/platform"}


def split(path: Path) -> tuple[dict[str, Any], str]:
    header, _, body = path.read_text().partition("\n---\n")
    return yaml.safe_load(header)["spec"]["inputs"], body


def choices(name: str, declaration: dict[str, Any]) -> list[Any]:
    if "options" in declaration:
        return list(declaration["options"])
    if declaration.get("type") == "boolean":
        return [True, False]
    return [declaration.get("default", SAMPLE.get(name, "digits"))]


def filled(body: str, values: dict[str, Any]) -> str:
    def text(match: re.Match[str]) -> str:
        value = values[match[1]]
        return str(value).lower() if isinstance(value, bool) else str(value)

    return re.sub(r"\$\[\[ inputs\.(\w+) \]\]", text, body)


def every_filling() -> dict[str, str]:
    """Each file of `ci/` with each combination of its inputs, by a file name that tells which."""
    fillings = {}
    for path in TEMPLATES:
        inputs, body = split(path)
        for number, combination in enumerate(itertools.product(*(choices(name, inputs[name]) for name in inputs))):
            fillings[f"{path.stem}-{number}.yml"] = filled(body, dict(zip(inputs, combination, strict=True)))
    return fillings


def jobs(body: str) -> dict[str, Any]:
    return {name: job for name, job in yaml.safe_load(body).items() if name != "include"}


def test_every_filling_of_the_inputs_is_a_pipeline_of_gitlab(tmp_path: Path) -> None:
    fillings = every_filling()
    assert len(fillings) > len(TEMPLATES)
    for name, body in fillings.items():
        assert "$[[" not in body, f"{name}: an input that the header does not declare"
        (tmp_path / name).write_text(body)
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci"]
    command += ["--data-transform", "gitlab-ci", *fillings]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_every_job_and_hidden_job_carries_the_project_in_its_name(path: Path) -> None:
    names = yaml.safe_load(split(path)[1].replace("$[[ inputs.project ]]", "PROJECT"))
    for name in set(names) - {"include"}:
        assert "PROJECT" in name, f"two projects that include {path.name} would share {name!r}"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_no_keyword_reaches_the_including_repository(path: Path) -> None:
    body = yaml.safe_load(split(path)[1])
    assert not body.keys() & {"default", "stages", "variables", "workflow", "image", "before_script", "cache"}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_every_script_is_one_line_with_a_command_that_exists(path: Path) -> None:
    for job in jobs(filled(split(path)[1], dict.fromkeys(split(path)[0], "digits") | {"needs": "[]"})).values():
        script = job.get("script", [])
        assert len(script) <= 1
        for line in script:
            words = shlex.split(line)
            assert words[0] == "windlass"
            assert words[1] in COMMANDS


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_every_input_is_described_and_free_text_is_limited_by_a_pattern(path: Path) -> None:
    for name, declaration in split(path)[0].items():
        assert declaration["description"].endswith("."), name
        used_in_shell = name in ("project", "platform", "platform_ref", "environment")
        assert not used_in_shell or "regex" in declaration, f"{name} reaches a shell and may be anything"


def test_every_file_of_a_stage_is_included_by_the_whole() -> None:
    # environments.yml is for the repository that owns the environments
    included = set(re.findall(r"local: /ci/(\w+)\.yml", (ROOT / "ci/model.yml").read_text()))
    assert included == {path.stem for path in TEMPLATES} - {"model", "base", "environments"}


def test_a_jobs_token_is_in_a_file_for_its_owner_and_boto3_is_told_where(tmp_path: Path) -> None:
    script = yaml.safe_load(
        filled(split(ROOT / "ci/base.yml")[1], SAMPLE | {"platform_ref": "main", "image": "python:3.11"})
    )[".windlass:digits"]["before_script"][0]
    clone = tmp_path / "builds/a clone"
    clone.mkdir(parents=True)
    tell = 'echo "${AWS_WEB_IDENTITY_TOKEN_FILE-none} ${AWS_ROLE_SESSION_NAME-none}"'
    variables = {"PATH": "/usr/bin:/bin", "CI_PROJECT_DIR": str(clone), "CI_JOB_ID": "7"}

    def said(**more: str) -> str:
        command = ["sh", "-euc", f"{script}\n{tell}"]
        return subprocess.run(command, env=variables | more, capture_output=True, text=True, check=True).stdout.strip()

    assert said() == "none none", "without a token boto3 goes on with keys"
    written = Path(f"{clone}.tmp/windlass-token")
    assert said(WINDLASS_ID_TOKEN="ey.J0.x$y") == f"{written} windlass-7"
    assert (written.read_text(), written.stat().st_mode & 0o777) == ("ey.J0.x$y", 0o600)
    assert not list(clone.iterdir()), "nothing of it is in the clone"
