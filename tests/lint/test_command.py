"""`windlass lint` as a command: paths, formats, exit codes, and what it does not import."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from rich.console import Console

from windlass.cli import checking, console
from windlass.cli.lint import FORMATS, command
from windlass.lint.explain import rule_names
from windlass.lint.loading import LOADING
from windlass.spec.errors import WindlassError

from .example_project import PROJECT

BAD = "dag: {name: bad, ownr: me}\ntasks: {a: {b: {operator_type: s3_to_file, key: a, outputs: {data: a.csv}}}}\n"
GOOD = BAD.replace("bad, ownr: me", "good")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import shutil

    monkeypatch.delenv("WINDLASS_ENVIRONMENTS", raising=False)
    shutil.copytree(PROJECT, tmp_path / "project")
    (tmp_path / "project/pipelines").mkdir(exist_ok=True)
    (tmp_path / "project/pipelines/good.yml").write_text(GOOD)
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def lint(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def test_without_problems_one_line_says_so(project: Path) -> None:
    result = lint()
    assert (result.exit_code, result.output) == (0, "9 files, no problems\n")


def test_problems_are_lines_and_the_exit_code_is_1(project: Path) -> None:
    (project / "pipelines/bad.yml").write_text(BAD)
    result = lint()
    assert result.exit_code == 1
    assert result.output == "pipelines/bad.yml:1:18: unknown key 'ownr' in dag; did you mean 'owner'? [unknown-key]\n"


def test_only_the_paths_that_are_given_are_reported(project: Path) -> None:
    (project / "pipelines/bad.yml").write_text(BAD)
    assert lint("pipelines/good.yml").output == "1 file, no problems\n"
    assert lint("models").output == "1 file, no problems\n"
    assert lint("pipelines/bad.yml", "models").exit_code == 1


def test_a_project_elsewhere_is_reported_with_its_path_from_here(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "pipelines/bad.yml").write_text(BAD)
    monkeypatch.chdir(project.parent)
    assert lint("project").output.startswith("project/pipelines/bad.yml:1:18: ")
    assert lint("project/pipelines/bad.yml").output.startswith("project/pipelines/bad.yml:1:18: ")
    assert lint("project/../project/pipelines/bad.yml").output.startswith("project/pipelines/bad.yml:1:18: ")


def test_a_single_file_is_taken_as_a_pipeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad.yml").write_text(BAD)
    monkeypatch.chdir(tmp_path)
    assert lint("bad.yml").output.startswith("bad.yml:1:18: unknown key 'ownr'")


def test_environments_elsewhere_are_used_and_checked(project: Path) -> None:
    (project / "environments").rename(project.parent / "platform")
    job = "{resource_flavor: huge, docker_image: python3-11, execution_time: 1 hour, execution_script: echo}"
    (project / "pipelines/bad.yml").write_text(f"dag: {{name: bad}}\ntasks: {{a: {{b: {{job: {job}}}}}}}\n")
    assert lint().output == "6 files, no problems\n"
    found = lint("--environments", "../platform").output
    assert "flavor 'huge' is not declared in environments 'dev', 'stage'; did you mean" not in found
    assert "flavor 'huge' is not declared in environments 'dev', 'stage'" in found
    (project.parent / "platform/dev.yml").write_text("extends: bsae\n")
    assert (
        "platform/dev.yml:1:10: extends: there is no environment file 'bsae'"
        in lint("--environments", "../platform").output
    )


def test_json_is_for_machines(project: Path) -> None:
    (project / "pipelines/bad.yml").write_text(BAD)
    result = lint("--json")
    data = json.loads(result.output)
    assert result.exit_code == 1 and "pipelines/bad.yml" in data["files"]
    assert data["problems"] == [
        {
            "path": "pipelines/bad.yml",
            "line": 1,
            "column": 18,
            "rule": "unknown-key",
            "message": "unknown key 'ownr' in dag; did you mean 'owner'?",
        }
    ]


def test_a_code_quality_report_goes_to_a_file_while_people_read_text(project: Path) -> None:
    (project / "pipelines/bad.yml").write_text(BAD)
    result = lint("--format", "code-quality", "--output", "quality.json")
    (first,) = json.loads((project / "quality.json").read_text())
    assert result.output.endswith("[unknown-key]\n") and result.exit_code == 1
    assert first["location"] == {"path": "pipelines/bad.yml", "lines": {"begin": 1}}
    assert (first["check_name"], first["severity"], len(first["fingerprint"])) == ("unknown-key", "major", 64)


def test_a_fingerprint_survives_moved_lines_and_differs_between_problems(project: Path) -> None:
    twice = BAD.replace("key: a,", "key: a, kee: 1,")
    (project / "pipelines/bad.yml").write_text(twice)
    before = {item["fingerprint"] for item in json.loads(lint("--format", "code-quality").output)}
    (project / "pipelines/bad.yml").write_text("# a comment\n" + twice)
    after = {item["fingerprint"] for item in json.loads(lint("--format", "code-quality").output)}
    assert before == after and len(before) == 2


def test_a_rule_explains_itself_and_an_unknown_one_has_a_near_match(project: Path) -> None:
    for rule in rule_names():
        result = lint("--explain", rule)
        where = "docs/editors.md#loading-the-dags-in-the-real-airflow" if rule in LOADING else f"docs/rules.md#{rule}"
        assert result.output.startswith(f"{rule}: ") and result.output.endswith(f"More is in {where}.\n")
    assert "did you mean 'known-pool'?" in str(lint("--explain", "known-pol").exception)


def test_the_rules_of_check_are_those_that_it_finds_and_its_page_explains() -> None:
    root = Path(__file__).parents[2]
    assert set(re.findall(r'"(check-[a-z]+)"', Path(checking.__file__).read_text())) == set(LOADING)
    assert set(re.findall(r"^\| `(check-[a-z]+)`", (root / "docs/editors.md").read_text(), re.M)) == set(LOADING)


def test_a_project_that_a_package_would_hide_is_refused(project: Path) -> None:
    assert lint("--project", "churn").exit_code == 0
    refused = lint("--project", "boto3").exception
    assert isinstance(refused, WindlassError) and refused.exit_code == 2
    assert "the project cannot be called 'boto3': a Python package of that name exists" in str(refused)


def test_on_a_terminal_each_problem_is_followed_by_its_line(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (project / "pipelines/bad.yml").write_text(BAD)
    monkeypatch.setattr(console, "out", Console(force_terminal=True, color_system=None, width=200))
    assert lint().output.splitlines() == [
        "pipelines/bad.yml:1:18: unknown key 'ownr' in dag; did you mean 'owner'? [unknown-key]",
        "    1 | dag: {name: bad, ownr: me}",
        "      |                  ^~~~",
    ]


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_says_the_same_exit_code(form: str, project: Path) -> None:
    assert lint("--format", form).exit_code == 0
    (project / "pipelines/bad.yml").write_text(BAD)
    assert lint("--format", form).exit_code == 1


def test_the_hooks_for_pre_commit_run_commands_that_exist() -> None:
    hooks = yaml.safe_load((Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text())
    assert [hook["id"] for hook in hooks] == ["windlass-lint", "windlass-lint-fix"]
    for hook in hooks:
        words = hook["entry"].split()
        assert words[:2] == ["windlass", "lint"] and set(words[2:]) <= {"--fix"}
        assert re.search(hook["files"], "pipelines/a.yml") and not re.search(hook["files"], "src/a.yml")


def test_a_folder_without_files_to_check_is_not_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = lint()
    assert result.exit_code != 0 and "there is nothing to check" in str(result.exception)


def test_a_report_that_cannot_be_written_is_one_sentence(project: Path) -> None:
    result = lint("--json", "--output", "nowhere/report.json")
    assert "--output: 'nowhere/report.json' cannot be written: No such file" in str(result.exception)


def test_a_file_of_an_unspeakable_name_is_reported_in_one_line(project: Path) -> None:
    (project / "pipelines/a\nb\x1b[31m.yml").write_text(BAD)
    lines = lint().output.splitlines()
    assert lines and all(line.startswith("pipelines/a\\nb\\x1b[31m.yml:1:") for line in lines)
    assert "pipelines/a\\nb\\x1b[31m.yml" in json.loads(lint("--json").output)["files"]


def test_lint_loads_neither_airflow_nor_any_client(project: Path) -> None:
    program = (
        "import sys; from windlass.cli.main import main; sys.argv = ['windlass', 'lint']\n"
        "try: main()\n"
        "except SystemExit as stop: assert stop.code == 0\n"
        "heavy = {'airflow', 'boto3', 'botocore', 'gitlab', 'requests', 'jinja2'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=project)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_case_alone_is_checked_as_one(project: Path) -> None:
    path = project / "tests/jobs/scores/score/one/case.yml"
    path.parent.mkdir(parents=True)
    path.write_text("expect: {score: {rows: 1}}\n")
    found = lint("tests/jobs/scores/score/one/case.yml")
    assert found.exit_code == 1
    assert "tests/jobs/scores/score/one/case.yml:1:10: the task has no output 'score'" in found.output
    assert "pipelines/" not in found.output
