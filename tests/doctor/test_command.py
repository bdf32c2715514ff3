"""`windlass doctor` tells a person what to change, a machine the same, and nobody a secret."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.adapters.gitlab.test_project_settings import CI, SECRET, gitlab
from tests.fakes.http_stub import Stub, http_stub
from windlass.adapters.git import origin_path
from windlass.cli.doctor import command

ROOT = Path(__file__).parents[2]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "digits"
    folder.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=folder, check=True)
    address = "git@gitlab.example.org:data/models/digits.git"
    subprocess.run(["git", "remote", "add", "origin", address], cwd=folder, check=True)
    (folder / ".gitlab-ci.yml").write_text(CI)
    for name in (
        "CI_SERVER_URL",
        "CI_JOB_TOKEN",
        "WINDLASS_GITLAB_URL",
        "WINDLASS_GITLAB_TOKEN",
        "WINDLASS_ENVIRONMENTS",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(folder)
    return folder


def doctor(*arguments: str, **instead: int) -> Result:
    stubs: list[Stub] = []
    with http_stub(gitlab(stubs, **instead)) as stub:
        stubs.append(stub)
        given = {"WINDLASS_GITLAB_URL": stub.url, "WINDLASS_GITLAB_TOKEN": "my-own-token"}
        return CliRunner(env=given).invoke(command, arguments, catch_exceptions=False)


def test_the_project_of_origin_is_looked_at_with_the_environments_that_are_here(repository: Path) -> None:
    shutil.copytree(ROOT / "environments", repository / "environments")
    (repository / "environments/roles.yml").write_text("engineer: {users: [ann, eve]}\n")
    done = doctor()
    assert done.exit_code == 1
    said = done.stdout
    assert "error: WINDLASS_AIRFLOW_URL, which environments/dev.yml wants, is not there [variables]\n" in said
    assert "error: role 'engineer' names the user 'eve', who is not in this GitLab or is blocked [roles]\n" in said
    assert "warning: environment 'dev' is stopped when a branch" in said
    assert "  by API: PUT /projects/:id/environments/:environment_id auto_stop_setting=with_action\n" in said
    assert "  more: docs/doctor.md#auto-stop\n" in said
    assert said.index("error:") < said.index("warning:")
    assert re.search(r"\n\d+ errors, \d+ warnings, \d+ as they should be\n$", said)
    assert SECRET not in done.output
    assert "my-own-token" not in done.output


def test_the_groups_of_path_rules_are_looked_at_as_those_of_roles_are(repository: Path) -> None:
    shutil.copytree(ROOT / "environments", repository / "environments")
    with (repository / "environments/prod.yml").open("a") as file:
        file.write("gate: {override: {roles: [engineer]}}\n")
    (repository / "environments/roles.yml").write_text("engineer: {groups: [platform/engineers]}\n")
    (repository / "environments/CODEOWNERS").write_text("/models/ @data/gone\n")
    said = doctor().stdout
    assert "warning: the token of project_7_bot_0f (a token of a project) may not read who is in 'data/gone', " in said
    assert "'platform/engineers', which the gate" not in said
    assert "error: override in 'prod' takes 2 people of engineer, and 1 hold these roles [roles]\n" in said


def test_what_could_not_be_seen_is_one_line_for_each_reason(repository: Path) -> None:
    done = doctor(**{"/runners": 403, "/protected_tags": 403})
    assert "not seen: could not look: needs the role Maintainer [protected-tags, runner-tags]\n" in done.stdout
    assert "not seen: the environments are not here" in done.stdout


def test_a_machine_gets_every_check(repository: Path) -> None:
    done = doctor("--json")
    found = {one["check"]: one for one in json.loads(done.stdout)}
    assert found["reset-approvals"]["state"] == "fine"
    assert found["auto-stop"]["state"] == "warning"
    assert found["variables"]["state"] == "unseen"
    assert SECRET not in done.stdout


def test_without_a_token_only_what_is_here_is_looked_at(repository: Path) -> None:
    (repository / ".gitlab-ci.yml").write_text(CI.replace("v1", "main"))
    done = CliRunner().invoke(command, [])
    assert done.exit_code == 1
    assert "ci/model.yml of platform/windlass is included at 'main'" in done.stdout
    assert "not seen: no GitLab was asked" in done.stdout


def test_the_machine_alone_needs_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(command, ["--machine", "--json"])
    assert done.exit_code == 0
    assert {one["check"] for one in json.loads(done.stdout)} == {"python", "git", "rehearsal"}


def test_broken_environments_and_roles_are_told_and_the_rest_is_looked_at(repository: Path) -> None:
    (repository / "environments").mkdir()
    (repository / "environments/dev.yml").write_text("prefix: [")
    (repository / "environments/roles.yml").write_text("Engineer: {}\n")
    done = doctor()
    assert "`windlass lint` shows everything" in done.stdout
    assert "environments/roles.yml:1:1" in done.stdout


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("git@gitlab.example.org:data/models/digits.git", "data/models/digits"),
        ("ssh://git@gitlab.example.org:2222/data/digits.git", "data/digits"),
        ("https://oauth2:secret@gitlab.example.org/data/digits", "data/digits"),
        ("https://gitlab.example.org/data/digits.git/", "data/digits"),
        ("/srv/git/digits.git", None),
        ("../digits", None),
    ],
)
def test_the_path_of_origin_is_that_of_its_project(tmp_path: Path, address: str, path: str | None) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "remote", "add", "origin", address], cwd=tmp_path, check=True)
    assert origin_path(tmp_path) == path
