"""A project in the stand-in is looked at, what the doctor says is done by the calls that it names, and it is well."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.fakes.standin import DEVELOPER, MAINTAINER, Company
from windlass.cli.doctor import command
from windlass.scaffold.files import Request, checked, files

REPORTER = 20
pytestmark = pytest.mark.stack

ENVIRONMENT = """
s3: {code: c, models: m, data: d}
airflow: {url: "${AIRFLOW_URL}", username: windlass, password: "${AIRFLOW_PASSWORD}"}
"""


def doctor(company: Company, name: str) -> dict[str, dict[str, Any]]:
    given = {"WINDLASS_GITLAB_URL": company.standin.url, "WINDLASS_GITLAB_TOKEN": company.token(name)}
    arguments = ["--gitlab-project", "models/digits", "--environments", "environments", "--json"]
    done = CliRunner(env={"CI_SERVER_URL": "", "CI_API_V4_URL": "", **given}).invoke(command, arguments)
    assert "hidden-value" not in done.output
    assert done.exit_code in (0, 1), done.output
    return {one["check"]: one for one in json.loads(done.stdout)}


def test_what_is_said_is_done_and_then_nothing_more_is_said(
    company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments/dev.yml").write_text(ENVIRONMENT)
    (tmp_path / "environments/prod.yml").write_text(f"{ENVIRONMENT}upstream: dev\n")
    (tmp_path / "environments/roles.yml").write_text("developer: {users: [ann, nobody]}\n")
    platform = company.project("platform/windlass", ann=MAINTAINER)
    project = company.project("models/digits", ann=MAINTAINER, bob=DEVELOPER)
    repository = company.checkout("root", tmp_path / "digits")
    repository.commit(**files(checked(Request("digits", ref="v1.0.0"))))
    for path in ("platform/windlass", "models/digits"):
        repository.push(path, "main")
    for protected in (*platform.protectedbranches.list(get_all=True), *project.protectedbranches.list(get_all=True)):
        protected.delete()
    project.environments.create({"name": "prod", "auto_stop_setting": "always"})

    before = doctor(company, "ann")
    errors = {name for name, one in before.items() if one["state"] == "error"}
    assert errors >= {
        *("include-ref", "protected-branch", "protected-tags", "runner-tags", "pipelines-must-succeed"),
        *("platform-branch", "platform-members", "roles"),
    }
    assert before["roles"]["problems"] == [
        "role 'developer' names the user 'nobody', who is not in this GitLab or is blocked"
    ]

    company.root.http_post("/user/runners", post_data={"runner_type": "instance_type", "run_untagged": True})
    platform.tags.create({"tag_name": "v1.0.0", "ref": "main"})
    company.join("bob", platform, REPORTER)
    platform.job_token_scope.get().allowlist.create({"target_project_id": project.id})
    for one in (platform, project):
        one.protectedbranches.create({"name": "main", "push_access_level": 0, "merge_access_level": DEVELOPER})
    project.protectedtags.create({"name": "v*", "create_access_level": MAINTAINER})
    for scope, is_protected in (("dev", False), ("prod", True)):
        usual = {"environment_scope": scope, "protected": is_protected, "value": "hidden-value"}
        project.variables.create({"key": "AIRFLOW_URL", **usual})
        project.variables.create({"key": "AIRFLOW_PASSWORD", **usual, "masked": True})
    changed = {"only_allow_merge_if_pipeline_succeeds": True, "allow_merge_on_skipped_pipeline": False}
    changed["ci_pipeline_variables_minimum_override_role"] = "maintainer"
    company.root.projects.update(project.id, {**changed, "merge_method": "rebase_merge"})
    project.approvals.update(new_data={"reset_approvals_on_push": True})
    environment = next(one for one in project.environments.list(get_all=True) if one.name == "prod")
    project.environments.update(environment.id, {"auto_stop_setting": "with_action"})
    (tmp_path / "environments/roles.yml").write_text("developer: {users: [ann]}\n")

    after = doctor(company, "ann")
    assert {name: one["problems"] for name, one in after.items() if one["problems"] and name != "rehearsal"} == {}

    seen_by_bob = doctor(company, "bob")
    assert not [name for name, one in seen_by_bob.items() if one["problems"] and name != "rehearsal"]
    unseen = {name for name, one in seen_by_bob.items() if one["unseen"]}
    assert unseen >= {"protected-tags", "variables", "variable-masked", "runner-tags"}


GATED = "gate: {roles: {engineer: 1}}\n"


def test_a_projects_token_cannot_read_a_private_group_and_one_of_a_group_above_can(
    company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments/dev.yml").write_text(ENVIRONMENT + GATED)
    (tmp_path / "environments/roles.yml").write_text("engineer: {groups: [models/engineers]}\n")
    project = company.project("models/digits", ann=MAINTAINER, project_1_bot_0f=DEVELOPER)
    company.project("models/engineers/notes", project_1_bot_0f=REPORTER)  # the group is seen, and nobody in it
    group = next(one for one in company.root.groups.list(get_all=True) if one.full_path == "models/engineers")
    for name in ("ann", "bob"):
        group.members.create({"user_id": company.user(name).id, "access_level": DEVELOPER})
    above = next(one for one in company.root.groups.list(get_all=True) if one.full_path == "models")
    above.members.create({"user_id": company.user("group_1_bot_0f").id, "access_level": REPORTER})
    given = {"key": "WINDLASS_GITLAB_TOKEN", "value": "hidden-value", "masked": True, "protected": False}
    project.variables.create(given)

    projects_own = doctor(company, "project_1_bot_0f")["gitlab-token"]
    assert projects_own["problems"] == [
        "the token of project_1_bot_0f (a token of a project) may not read who is in 'models/engineers', "
        "which the gate of 'dev' asks for: it ends with exit code 3"
    ]
    groups_own = doctor(company, "group_1_bot_0f")
    assert groups_own["gitlab-token"]["problems"] == []
    assert groups_own["roles"]["state"] == "fine"
    ann = doctor(company, "ann")
    assert "call windlass doctor with that token" in ann["gitlab-token"]["unseen"]
    assert "call windlass doctor with that token" in ann["token-role"]["unseen"]
