"""What windlass reads of GitLab's answers is there: each name is an attribute of the entity that GitLab publishes."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gitlab_api.published import table
from windlass.adapters import gitlab

FOLDER = Path(gitlab.__file__).parent

READS = {
    "deployment.record_deployment": "Deployment",
    "environment.keep_running": "Environment",
    "evidence.Reviews._all_notes": "Note",
    "evidence.Reviews._approved_by": "MergeRequestApprovals Approvals User",
    "evidence.Reviews._is_protected": "Branch Tag",
    "evidence.Reviews._members": "Member",
    "evidence.Reviews._newest_version": "MergeRequestDiff",
    "evidence.Reviews._read": "MergeRequest User",
    "evidence.Reviews.events": "Note User",
    "evidence.Reviews.number_of": "Project",
    "evidence.Reviews.of_commit": "MergeRequest",
    "evidence.Reviews.proposed": "MergeRequest",
    "evidence.Reviews.protects_tag": "ProtectedTag",
    "evidence.Reviews.pusher_of_tag": "CiPipelineBasic CiPipelineWithMetadata User",
    "identity._number": "User",
    "identity._of_job": "CiJob CiPipelineBasic Commit User",
    "identity._of_token": "User",
    "merge_request.standings": "MergeRequest",
    "note._is_own": "Note User",
    "note._own_user": "User",
    "project.GitlabProject._approved_by": "Approvals User",
    "project.GitlabProject.merge_request": "MergeRequest User",
    "project_access.AccessReader._group": "GroupDetail",
    "project_access.AccessReader._token": "User",
    "project_access._kind": "User",
    "project_access._names": "Member",
    "project_access.is_open": "Project",
    "project_settings.SettingsReader._environments": "Environment",
    "project_settings.SettingsReader._job_tokens": "BasicProjectDetails BasicGroupDetails",
    "project_settings.SettingsReader._own": "Project Namespace",
    "project_settings.SettingsReader._platform_branch": "Project Branch",
    "project_settings.SettingsReader._resource_groups": "CiResourceGroup",
    "project_settings.SettingsReader._runner": "CiRunner CiRunnerDetails",
    "project_settings.SettingsReader._runners": "CiRunner",
    "project_settings.SettingsReader._variables": "CiVariable",
    "project_settings._protected": "ProtectedBranch ProtectedTag ProtectedRefAccess",
    "project_settings._variables_role": "Project",
    "release._keep_link": "ReleasesLink",
    "release._names": "Release ReleaseAssets ReleasesLink",
    "release.keep_release": "Release",
    "status.keep_status": "CommitStatus",
}
"""By function: the entities that it reads. A new one is asked to say so here."""

NO_ENTITY = {
    "connection.Connection.__init__": "the hooks of a session",
    "connection.Connection._listen": "a header",
    "release.keep_file": "a file's answer is a sentence: 201 Created",
}
"""Functions that read something else by name, and what."""
NO_ATTRIBUTE = {("project_access._kind", "kind")}
"""Names of parts of a pattern."""

ATTRIBUTES = {
    "access_level": "Member",
    "approved_by": "MergeRequestApprovals",
    "body": "Note",
    "inbound_enabled": "ProjectJobTokenScope",
    "reset_approvals_on_push": "ApprovalSettings",
    "state": "User",
    "username": "User",
}
"""What is read of python-gitlab's objects with a dot."""


def read_by_name() -> Iterator[tuple[str, str]]:
    """Each function of the adapters with each name that it reads of a mapping; environment variables are none."""
    for path in sorted(FOLDER.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = [(node.name, node) for node in tree.body if isinstance(node, ast.FunctionDef)]
        for owner in (node for node in tree.body if isinstance(node, ast.ClassDef)):
            functions += [
                (f"{owner.name}.{node.name}", node) for node in owner.body if isinstance(node, ast.FunctionDef)
            ]
        for name, function in functions:
            for node in ast.walk(function):
                if (key := _key(node)) and not key.isupper():
                    yield f"{path.stem}.{name}", key


def _key(node: ast.AST) -> str | None:
    """The name in `mapping["name"]` or `mapping.get("name")`."""
    found: ast.AST | None = None
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        found = node.slice
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get" and node.args:
        found = node.args[0]
    is_name = isinstance(found, ast.Constant) and isinstance(found.value, str)
    return str(found.value) if is_name and isinstance(found, ast.Constant) else None


def attributes(entities: str) -> set[str]:
    return {name for entity in entities.split() for name in table()["entities"][entity]["attributes"]}


def test_every_attribute_that_is_read_is_one_that_gitlab_publishes() -> None:
    missing = [
        f"{function} reads {key!r}, and {READS[function]} has none"
        for function, key in read_by_name()
        if function in READS and key not in attributes(READS[function]) and (function, key) not in NO_ATTRIBUTE
    ]
    assert missing == []


def test_every_function_that_reads_by_name_says_what() -> None:
    found = {function for function, _ in read_by_name()}
    assert found - set(READS) - set(NO_ENTITY) == set(), "say here which entity it reads"
    assert set(READS) | set(NO_ENTITY) <= found, "it reads nothing any more"


@pytest.mark.parametrize(("name", "entity"), ATTRIBUTES.items())
def test_what_is_read_with_a_dot_is_published_too(name: str, entity: str) -> None:
    assert name in attributes(entity)
    text = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py"))
    assert f".{name}" in text, "it is not read any more"
