"""A machine, a repository and a project in GitLab that are just as windlass needs them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from windlass.doctor.ci_file import CiFile, Include
from windlass.doctor.examined import Examined
from windlass.spec.environment import Airflow, Buckets, Environment
from windlass.spec.machine import Machine
from windlass.spec.project_settings import (
    Branch,
    DeployedTo,
    Group,
    JobTokens,
    Project,
    ProjectSettings,
    Protected,
    Readers,
    Runner,
    Token,
    Variable,
)
from windlass.spec.roles import Role

BUCKETS = Buckets(code="c", models="m", data="d")
AIRFLOW = Airflow(url="${AIRFLOW_URL}", username="${AIRFLOW_USER}", password=SecretStr("${AIRFLOW_PASSWORD}"))


def environment(name: str, upstream: str | None, **keys: Any) -> Environment:
    return Environment.model_validate(
        {"name": name, "prefix": name, "upstream": upstream, "s3": BUCKETS, "airflow": AIRFLOW, **keys}
    )


def variables(scope: str, protected: bool) -> tuple[Variable, ...]:
    return (
        Variable("AIRFLOW_URL", scope),
        Variable("AIRFLOW_USER", scope),
        Variable("AIRFLOW_PASSWORD", scope, protected=protected, masked=True),
        Variable("AWS_ACCESS_KEY_ID", scope, protected=protected),
        Variable("AWS_SECRET_ACCESS_KEY", scope, protected=protected, masked=True),
    )


SETTINGS = ProjectSettings(
    project=Project("models/digits", "main", "private", "rebase_merge", True, False, variables_role="maintainer"),
    branches=(Protected("main", (0,)), Protected("release/*", (40,))),
    tags=(Protected("v*", (40,)),),
    variables=(*variables("*", False), *variables("prod", True), Variable("WINDLASS_GITLAB_TOKEN", masked=True)),
    runners=(Runner("shared", frozenset({"linux"}), True),),
    resource_groups={"windlass-dev": "oldest_first", "other": "unordered"},
    environments=(
        DeployedTo("dev", "with_action"),
        DeployedTo("prod", "with_action"),
        DeployedTo("review/1", "always"),
    ),
    resets_approvals=True,
    job_tokens=JobTokens(True, groups=frozenset({"models"})),
    platform_tags={"v1.4.0": True},
    platform_branch=Branch("main", True),
    users={"ann": True},
    groups={"platform/engineers": Group(True, frozenset({"bob"}))},
    token=Token("group_7_bot", "group", 20),
    starters=frozenset({"ann", "bob"}),
    platform_readers=Readers(people=frozenset({"ann", "bob", "eve"})),
)
GOOD = Examined(
    machine=Machine("0.1.0", (3, 11), "2.39.5", rsync=True, node=True),
    settings=SETTINGS,
    environments={"dev": environment("dev", None), "prod": environment("prod", "dev")},
    roles={"data-engineer": Role(users=["ann"], groups=["platform/engineers"])},
    at=datetime(2026, 11, 23, 4, 0, tzinfo=UTC),
    ci_file=CiFile(includes=(Include("platform/windlass", "v1.4.0", "ci/model.yml", {"platform_ref": "v1.4.0"}),)),
)


def settings(**parts: Any) -> Examined:
    """The same with other settings in GitLab."""
    return replace(GOOD, settings=replace(SETTINGS, **parts))


def machine(**parts: Any) -> Examined:
    """The same on another machine."""
    return replace(GOOD, machine=replace(GOOD.machine, **parts))


def ci(*includes: Include, **parts: Any) -> Examined:
    """The same with another CI file."""
    return replace(GOOD, ci_file=CiFile(includes, **parts))
