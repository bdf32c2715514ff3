"""The CI files are what GitLab accepts, carry the including project's name everywhere and call commands that exist."""

import itertools
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from windlass import __version__
from windlass.cli.main import windlass

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


def scripts(path: Path) -> list[list[str]]:
    """The lines of each job that has some: first `before_script`, then `script`."""
    every = jobs(filled(split(path)[1], dict.fromkeys(split(path)[0], "digits") | {"needs": "[]"})).values()
    lines = [[*job.get("before_script", []), *job.get("script", [])] for job in every]
    return [each for each in lines if each]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_every_line_of_a_script_is_a_command_that_exists_with_options_that_exist(path: Path) -> None:
    for lines in scripts(path) if path.stem != "base" else []:
        for line in lines:
            require_command(line)


@pytest.mark.parametrize("line", ["windlass plant --to dev", "windlass plan --too dev", "windlass env dif dev", "plan"])
def test_a_command_or_an_option_that_does_not_exist_is_seen(line: str) -> None:
    with pytest.raises((click.ClickException, AssertionError)):
        require_command(line)


def require_command(line: str) -> None:
    """The part of the line before the shell's own words is read as the command line reads it, and not run."""
    words = shlex.split(line)
    words = words[: next((at for at, word in enumerate(words) if word in ("||", "&&", ">", "|", ";")), len(words))]
    assert words[0] == "windlass", line
    command: click.Command = windlass
    context, rest = click.Context(windlass), words[1:]
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None, line
        command, context = found, found.make_context(name, list(rest), parent=context)
        rest = [*context._protected_args, *context.args] if isinstance(command, click.Group) else []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_shellcheck_has_nothing_to_say_about_any_line(path: Path) -> None:
    for lines in scripts(path):
        assert shellchecked("\n".join(lines)) == ""


def test_shellcheck_sees_a_word_that_falls_apart() -> None:
    assert "SC2086" in shellchecked("git fetch $CI_SERVER_URL")


def shellchecked(script: str) -> str:
    command = [str(Path(sys.executable).with_name("shellcheck")), "--shell=sh", "--enable=quote-safe-variables", "-"]
    command += ["--exclude=SC2016"]  # git, not this shell, fills in the helper's words
    done = subprocess.run(command, input=f"set -e\n{script}\n", capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_an_input_is_declared_in_the_same_words_wherever_it_is(path: Path) -> None:
    for name, declaration in split(path)[0].items():
        for other in TEMPLATES:
            same = split(other)[0].get(name, declaration)
            if not name.endswith("stage"):  # each has its own
                assert same == declaration, f"{name} is another thing in {other.name}"
        assert declaration.keys() <= {"description", "default", "options", "regex", "type"}
        assert (
            "regex" not in declaration
            or "default" not in declaration
            or re.search(declaration["regex"], declaration["default"])
        )
        assert (
            "options" not in declaration
            or declaration.get("default", declaration["options"][0]) in declaration["options"]
        )


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_each_job_is_a_stage_and_rules_laid_over_a_hidden_one_of_its_name(path: Path) -> None:
    found = jobs(filled(split(path)[1], dict.fromkeys(split(path)[0], "digits") | {"needs": "[]"}))
    for name, job in found.items():
        if not name.startswith("."):
            assert job["extends"] == f".windlass:{name}"
            assert job.keys() <= {"extends", "stage", "rules", "needs"}, f"{name}: all else is in the hidden job"
            assert f".windlass:{name}" in found


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_what_is_kept_expires_and_what_delivers_takes_nothing_from_a_cache(path: Path) -> None:
    for name, job in jobs(filled(split(path)[1], dict.fromkeys(split(path)[0], "digits") | {"needs": "[]"})).items():
        assert "artifacts" not in job or "expire_in" in job["artifacts"], name
        if job.get("environment", {}).get("action", "start") in ("start", "prepare") and "environment" in job:
            assert (job["cache"], job["interruptible"]) == ([], False), name
            assert job["resource_group"] == f"windlass-{job['environment']['name']}"


def test_an_input_that_gitlab_may_take_from_a_variable_is_one_and_is_used_by_that_name() -> None:
    fixed = {"project", "stage", "build_stage", "deploy_stage", "environment", "tier", "on", "needs"}
    for path in TEMPLATES:
        for name in split(path)[0].keys() - fixed:
            assert name in variables(), f"{path.name}: no job has a variable WINDLASS_{name.upper()}"
    assert not variables().keys() & fixed - {"project"}
    everything = "\n".join(path.read_text() for path in TEMPLATES)
    read = "\n".join(path.read_text() for path in (ROOT / "scripts/windlass/cli").glob("*.py"))
    for variable in variables().values():
        assert re.search(rf"\${variable}\b", everything) or f'"{variable}"' in read, f"nothing reads {variable}"


def variables() -> dict[str, str]:
    """The variable of each input that has one: the one in whose value the input stands."""
    pattern = r"^    (WINDLASS_[A-Z_]+): \"?\$\[\[ inputs\.(\w+) \]\]\"?$"
    found = {(match[2], match[1]) for path in TEMPLATES for match in re.finditer(pattern, path.read_text(), re.M)}
    assert all(variable == f"WINDLASS_{name.upper()}" for name, variable in found)
    return dict(found)


def test_the_tool_is_the_one_of_the_templates_version(compare_golden: Callable[[Path, str], None]) -> None:
    changelog = re.search(r"^## (\S+)(.*)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    is_released = ".dev" not in __version__
    assert changelog and changelog[1] == __version__.partition(".dev")[0]
    assert is_released == ("unreleased" not in changelog[2])
    ref = f"v{__version__}" if is_released else "main"
    for path in TEMPLATES:
        pinned = re.sub(r"(    platform_ref:\n.*\n      default: ).*", rf"\g<1>{ref}", path.read_text())
        compare_golden(path, pinned)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_every_input_is_described_and_free_text_is_limited_by_a_pattern(path: Path) -> None:
    for name, declaration in split(path)[0].items():
        assert declaration["description"].endswith("."), name
        used_in_shell = name in ("project", "platform", "platform_ref", "environment")
        assert not used_in_shell or "regex" in declaration, f"{name} reaches a shell and may be anything"


def test_every_file_of_a_stage_is_included_by_the_whole() -> None:
    # environments.yml is for the repository that owns the environments; review.yml runs code that nobody has merged
    included = set(re.findall(r"local: /ci/(\w+)\.yml", (ROOT / "ci/model.yml").read_text()))
    assert included == {path.stem for path in TEMPLATES} - {"model", "base", "environments", "review"}


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


@pytest.mark.parametrize("ref", ["main", "v1.2.3", "commit"])
def test_a_job_gets_the_platform_at_a_branch_a_tag_or_a_commit_and_once_more_into_a_folder_that_is_there(
    ref: str, tmp_path: Path
) -> None:
    lines = [line for line in scripts(ROOT / "ci/base.yml")[0] if line.startswith("git ")]
    origin, clone = tmp_path / "group/platform.git", tmp_path / "clone"
    origin.mkdir(parents=True)
    clone.mkdir()

    def git(*words: str) -> str:
        command = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", *words]
        return subprocess.run(command, cwd=origin, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "--quiet", "--initial-branch=main")
    git("config", "uploadpack.allowAnySHA1InWant", "true")  # as GitLab has it
    git("commit", "--quiet", "--allow-empty", "--message", "The version")
    wanted = git("rev-parse", "HEAD")
    git("tag", "v1.2.3")
    if ref != "main":
        git("commit", "--quiet", "--allow-empty", "--message", "Later")
    variables = {"CI_SERVER_URL": f"file://{tmp_path}", "WINDLASS_PLATFORM": "group/platform", "CI_JOB_TOKEN": "x"}
    variables |= {"WINDLASS_PLATFORM_REF": wanted if ref == "commit" else ref, "PATH": "/usr/bin:/bin"}
    for _ in range(2):
        script = ["sh", "-euc", "\n".join([*lines, "git -C .windlass/platform rev-parse HEAD"])]
        done = subprocess.run(script, cwd=clone, env=variables, capture_output=True, text=True, check=False)
        assert done.stdout.strip() == wanted, done.stderr


@pytest.mark.parametrize(("code", "job"), [(0, 0), (1, 0), (2, 2), (3, 3), (75, 75)])
@pytest.mark.parametrize("name", ["plan", "environments"])
def test_a_job_that_compares_ends_well_with_differences_and_else_as_the_command_did(
    tmp_path: Path, name: str, code: int, job: int
) -> None:
    tool = tmp_path / "windlass"
    tool.write_text(f"#!/bin/sh\nexit {code}\n")
    tool.chmod(0o700)
    inputs, body = split(ROOT / "ci" / f"{name}.yml")
    every = jobs(filled(body, {key: choices(key, inputs[key])[0] for key in inputs}))
    lines = next(one["script"] for one in every.values() if "||" in "".join(one.get("script", [])))
    script = ["sh", "-euc", "\n".join([*lines, "echo more"])]
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "WINDLASS_PLAN_ENVIRONMENT": "dev"}
    assert subprocess.run(script, env=environment, check=False, capture_output=True).returncode == job
