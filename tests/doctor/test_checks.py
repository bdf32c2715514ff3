"""Each check finds what it is about, says nothing about a project that is right, and tells what it could not see."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from windlass.doctor import checks
from windlass.doctor.checks import CHECKS
from windlass.doctor.ci_file import CiFile, Include
from windlass.doctor.examine import Result, examine, is_well
from windlass.doctor.examined import NO_CI_FILE, NO_ENVIRONMENTS, Examined, matches
from windlass.spec.codeowners import OWNERS_FILE, parse_owners
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
    Unseen,
    Variable,
)

from .examples import GOOD, SETTINGS, ci, environment, machine, settings, variables

PATH = "platform/windlass"
TOKEN = {"WINDLASS_ID_TOKEN": ["sts.amazonaws.com"]}
KEYLESS = tuple(Variable(key) for key in ("AIRFLOW_URL", "AIRFLOW_USER"))


def project(**parts: Any) -> Examined:
    assert isinstance(SETTINGS.project, Project)
    return settings(project=replace(SETTINGS.project, **parts))


PATH_OF_GROUP = "platform/engineers"
CLOSED = Group(True, None)
PROJECTS = Token("project_7_bot_x", "project", 20)
GROUPS = Token("group_7_bot_x", "group", 20)
OPEN_TOKEN = Variable("WINDLASS_GITLAB_TOKEN", masked=True)


def gated(gate: object = None, **parts: object) -> Examined:
    """prod has a gate that asks a role with a group, and its jobs have a token that may read it."""
    usual: dict[str, object] = {"variables": (OPEN_TOKEN,), "token": GROUPS}
    prod = environment("prod", None, gate={"roles": {"data-engineer": 1}} if gate is None else gate)
    return replace(settings(**(usual | parts)), environments={"prod": prod})


def frozen(until: str) -> dict[str, str]:
    return {"from": "2025-12-20 18:00", "to": until, "timezone": "Europe/Berlin", "reason": "year's end"}


def token(token: Token, *, protected: bool = True) -> Examined:
    """The variable with the token is protected, or not."""
    return settings(token=token, variables=(replace(OPEN_TOKEN, protected=protected),))


def of_models(**inputs: Any) -> Examined:
    """A repository with models, whose hidden job of windlass has an id token and may take a role."""
    include = Include(PATH, "v1.4.0", "ci/model.yml", {"project": "digits", **inputs})
    keyless = settings(variables=(*KEYLESS, Variable("AWS_ROLE_ARN")))
    ci_file = CiFile((include,), audiences={".windlass:digits": ["sts.amazonaws.com"]})
    return replace(keyless, ci_file=ci_file, has_models=True)


WRONG: list[tuple[str, Examined, list[str]]] = [
    ("git", machine(git=None), ["git is not there"]),
    ("pipeline-variables", project(variables_role="developer"), ["developers may give variables to a pipeline"]),
    ("pipeline-variables", project(variables_role="no_one_allowed"), ["nobody starts a rollback"]),
    ("python", machine(python=(3, 10)), ["Python 3.10 is older than 3.11"]),
    ("rehearsal", machine(rsync=False, node=False), ["rsync is not there", "Node"]),
    ("include-ref", ci(), ["includes no file of windlass"]),
    ("include-ref", ci(problem=".gitlab-ci.yml is no YAML"), ["is no YAML"]),
    ("include-ref", ci(Include(PATH, None, "ci/model.yml")), ["without ref"]),
    ("include-ref", ci(Include(PATH, "main", "ci/model.yml")), ["at 'main', which is no version"]),
    (
        "include-ref",
        ci(Include(PATH, "v1.4.0", "ci/model.yml", {"platform_ref": "main"})),
        ["its platform_ref is 'main'"],
    ),
    ("include-ref", settings(platform_tags={"v1.4.0": False}), ["has no tag 'v1.4.0'"]),
    ("id-tokens", ci(audiences={".windlass:digits": []}), ["without aud", "no variable AWS_ROLE_ARN"]),
    ("id-tokens", ci(audiences=TOKEN), ["no variable AWS_ROLE_ARN"]),
    ("id-tokens", of_models(), ["the jobs of models get no WINDLASS_ID_TOKEN"]),
    ("id-tokens", settings(variables=(Variable("AWS_ROLE_ARN"),)), ["no job in .gitlab-ci.yml has id_tokens"]),
    (
        "id-tokens",
        replace(
            settings(variables=(*variables("*", False), Variable("AWS_ROLE_ARN"))), ci_file=ci(audiences=TOKEN).ci_file
        ),
        ["boto3 takes the stored key"],
    ),
    ("protected-branch", settings(branches=(Protected("master", (0,)),)), ["'main' is not protected"]),
    ("protected-branch", settings(branches=(Protected("ma*", (40, 30)),)), ["developers may push to 'ma*'"]),
    ("protected-branch", settings(branches=(Protected("main", (0,), force_push=True),)), ["with force"]),
    ("protected-tags", settings(tags=()), ["'v0.1.0' is not protected; protected are: none"]),
    (
        "protected-tags",
        settings(tags=(Protected("v1.*", (40,)),)),
        ["'v0.1.0' is not protected; protected are: 'v1.*'"],
    ),
    ("protected-tags", settings(tags=(Protected("v*", (30,)),)), ["developers may create tags 'v*'"]),
    (
        "variables",
        settings(variables=variables("prod", True)),
        ["environments/dev.yml wants, is there for 'prod' only"] * 3,
    ),
    ("variables", settings(variables=()), ["is not there"] * 6),
    ("variable-scope", settings(variables=variables("*", True)), ["secret of 'prod', has the scope '*'"] * 2),
    (
        "variable-masked",
        settings(variables=(Variable("AIRFLOW_PASSWORD"),)),
        ["AIRFLOW_PASSWORD of the project, scope '*'"],
    ),
    (
        "variable-protected",
        settings(variables=(*variables("*", False), *variables("pr*", False))),
        ["AIRFLOW_PASSWORD of the project, scope 'pr*', is not protected", "AWS_SECRET_ACCESS_KEY"],
    ),
    ("variable-protected", settings(variables=variables("*", True)), ["merge requests have no credentials"] * 2),
    ("runner-tags", settings(runners=()), ["takes jobs without tags"]),
    ("runner-tags", settings(runners=(Runner("off", untagged=True, online=False),)), ["takes jobs without tags"]),
    ("resource-groups", settings(resource_groups={"windlass-prod": "unordered"}), ["'windlass-prod' is 'unordered'"]),
    ("pipelines-must-succeed", project(pipelines_must_succeed=False), ["while its pipeline fails"]),
    ("pipelines-must-succeed", project(skipped_counts_as_success=True), ["was skipped"]),
    ("merge-method", project(merge_method="merge"), ["the merge method is 'merge'"]),
    ("reset-approvals", settings(resets_approvals=False), ["approvals stay after a push"]),
    (
        "job-token-access",
        settings(job_tokens=JobTokens(True, groups=frozenset({"model"}))),
        ["does not let the job tokens"],
    ),
    (
        "gitlab-token",
        replace(settings(variables=()), environments={"prod": environment("prod", None, gate={})}),
        ["'prod' has a gate"],
    ),
    (
        "gitlab-token",
        gated(variables=()),
        ["have no WINDLASS_GITLAB_TOKEN: nobody counts who is in platform/engineers"],
    ),
    (
        "gitlab-token",
        gated(token=PROJECTS, groups={PATH_OF_GROUP: CLOSED}),
        ["(a token of a project) may not read who"],
    ),
    ("gitlab-token", gated(token=PROJECTS, groups={PATH_OF_GROUP: None}), ["ends with exit code 3"]),
    (
        "gitlab-token",
        gated(token=Token("ann", in_job=True), groups={PATH_OF_GROUP: CLOSED}),
        ["ann (a person) may not"],
    ),
    ("freeze-windows", gated(gate={"freeze": [frozen("2026-11-23 04:30"), frozen("2027-01-02 08:00")]}), ["ended at"]),
    ("token-role", token(Token("project_7_bot_x", "project", 30), protected=False), ["has the role Developer"]),
    ("token-role", token(Token("group_7_bot", "group", 40), protected=False), ["has the role Maintainer"]),
    ("token-role", token(Token("ann", level=20, in_job=True), protected=False), ["is the own token of ann"]),
    (
        "token-role",
        token(Token("service_account_x", "service account", 40, in_job=True, on_open_branch=True)),
        ["push"],
    ),
    (
        "platform-members",
        settings(platform_readers=Readers(people=frozenset({"ann"}))),
        ["is closed to bob: a pipeline"],
    ),
    (
        "platform-members",
        settings(starters=frozenset("abcdefgh"), platform_readers=Readers()),
        ["closed to a, b, c, d, e and 3 more"],
    ),
    ("platform-branch", settings(platform_branch=Branch("main", False)), ["is not protected"]),
    ("platform-branch", settings(platform_branch=Branch("main", True, True)), ["developers may push to 'main'"]),
    ("auto-stop", settings(environments=(DeployedTo("prod", "always"),)), ["'prod' is stopped when"]),
    ("roles", settings(users={"ann": False}), ["the user 'ann'"]),
    ("roles", settings(groups={}), ["the group 'platform/engineers'"]),
    ("roles", gated(gate={"roles": {"data-engineer": 3}}), ["asks for 3 of role 'data-engineer', and 2 hold it"]),
    (
        "roles",
        gated(gate={"override": {"people": 3, "roles": ["data-engineer"]}}),
        ["override in 'prod' takes 3 people of data-engineer, and 2 hold these roles"],
    ),
]
FINE = [
    ("include-ref", ci(Include(PATH, "0123456789" * 4, "ci/model.yml"))),
    ("include-ref", ci(is_local=True)),
    ("id-tokens", of_models(train_overrides="ci/windlass.yml")),
    ("id-tokens", of_models(train_jobs="together")),
    ("job-token-access", settings(job_tokens=JobTokens(False))),
    ("gitlab-token", gated()),
    ("freeze-windows", gated(gate={"freeze": [frozen("2026-11-23 05:30")]})),
    ("gitlab-token", gated(groups={PATH_OF_GROUP: Group(False, frozenset())})),
    ("token-role", token(Token("project_7_bot_x", "project", 20), protected=False)),
    ("token-role", token(Token("project_7_bot_x", "project", 40))),
    ("token-role", token(Token("ann", level=50))),
    ("platform-members", settings(platform_readers=Readers(everybody=True))),
    ("roles", gated(gate={"roles": {"data-engineer": 2}, "override": {"people": 2, "roles": ["data-engineer"]}})),
    ("roles", gated(gate={"roles": {"data-engineer": 3}}, groups={PATH_OF_GROUP: CLOSED})),
    ("job-token-access", settings(job_tokens=JobTokens(True, is_open=True))),
    ("job-token-access", settings(job_tokens=JobTokens(True, projects=frozenset({"models/digits"})))),
    ("auto-stop", settings(environments=(DeployedTo("prod", None),))),
    ("variable-masked", settings(variables=(Variable("AIRFLOW_PASSWORD", is_file=True),))),
    ("protected-tags", settings(tags=(Protected("v*", (), others=True),))),
]


def result(check: str, examined: Examined) -> Result:
    return next(one for one in examine(examined) if one.check == check)


def test_a_project_that_is_as_it_has_to_be_has_no_finding() -> None:
    results = examine(GOOD)
    assert [(one.check, one.problems, one.unseen) for one in results if one.state != "fine"] == []
    assert is_well(results)


@pytest.mark.parametrize(
    ("check", "examined", "said"), WRONG, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_is_otherwise_is_said(check: str, examined: Examined, said: list[str]) -> None:
    found = result(check, examined)
    assert len(found.problems) == len(said), found.problems
    for problem, words in zip(found.problems, said, strict=True):
        assert words in problem
    assert found.state == found.severity
    assert is_well([found]) == (found.severity == "warning")


@pytest.mark.parametrize(("check", "examined"), FINE, ids=lambda value: value if isinstance(value, str) else "")
def test_another_right_way_is_right(check: str, examined: Examined) -> None:
    assert result(check, examined).state == "fine"


def test_every_check_has_an_example_that_it_finds() -> None:
    assert {check for check, _, _ in WRONG} == {check.NAME for check in CHECKS}


def test_every_module_of_a_check_is_listed_under_its_name() -> None:
    modules = {path.stem for path in Path(checks.__path__[0]).glob("*.py")} - {"__init__"}
    assert modules == {check.__name__.rpartition(".")[2] for check in CHECKS}
    for check in CHECKS:
        assert check.__name__.rpartition(".")[2].replace("_", "-") == check.NAME
        assert check.SEVERITY in ("error", "warning")
        assert check.PLACE in ("machine", "repository", "project", "platform")


@pytest.mark.parametrize("part", [field.name for field in fields(ProjectSettings) if field.name != "group_variables"])
def test_a_setting_that_cannot_be_read_is_told_and_is_no_error(part: str) -> None:
    results = examine(settings(**{part: Unseen("could not look: needs the role Maintainer")}))
    told = [one for one in results if one.unseen]
    assert told
    assert {one.unseen for one in told} == {"could not look: needs the role Maintainer"}
    assert not any(one.problems for one in results)


def test_without_gitlab_environments_and_files_nothing_is_claimed() -> None:
    results = examine(Examined(GOOD.machine))
    assert not any(one.problems for one in results)
    assert {one.check for one in results if one.state == "fine"} == {"python", "git", "rehearsal"}
    reasons = {one.unseen for one in results if one.unseen}
    assert {NO_ENVIRONMENTS.reason, NO_CI_FILE.reason} < reasons


def test_a_missing_variable_may_be_one_of_a_group_that_was_not_read() -> None:
    examined = settings(variables=(), group_variables=Unseen("variables of the group models need its role Owner"))
    found = result("variables", examined)
    assert (found.problems, found.unseen) == ((), "variables of the group models need its role Owner")


@pytest.mark.parametrize("token_of", [Token("ann", level=40), Unseen("could not look: needs a token of its own")])
def test_whether_the_jobs_token_may_read_a_private_group_is_not_seen_with_another_token(token_of: object) -> None:
    found = result("gitlab-token", gated(token=token_of))
    assert found.problems == ()
    assert "may read who is in platform/engineers: call windlass doctor with that token" in str(found.unseen)
    assert result("gitlab-token", gated(token=token_of, groups={PATH_OF_GROUP: Group(False)})).state == "fine"


def test_a_group_that_a_path_rule_names_is_asked_for_as_well() -> None:
    owners, _ = parse_owners(OWNERS_FILE, b"/models/ @data/scientists\n")
    examined = replace(gated(gate={}, token=PROJECTS, groups={"data/scientists": CLOSED}), owners=owners)
    assert ["'data/scientists'" in one for one in result("gitlab-token", examined).problems] == [True]


def test_jobs_of_another_environment_may_have_another_token() -> None:
    own = Variable("WINDLASS_GITLAB_TOKEN", "prod", protected=True, masked=True)
    weak = Token("project_7_bot", "project", 20, in_job=True)
    examined = gated(token=weak, groups={PATH_OF_GROUP: CLOSED}, variables=(OPEN_TOKEN, own))
    found = result("gitlab-token", examined)
    assert (found.problems, "call windlass doctor with that token" in str(found.unseen)) == ((), True)
    in_prod = gated(
        token=replace(weak, environment="prod"), groups={PATH_OF_GROUP: CLOSED}, variables=(OPEN_TOKEN, own)
    )
    assert len(result("gitlab-token", in_prod).problems) == 1
    strong = Token("group_7_bot", "group", 40, in_job=True, environment="prod")
    assert "is not protected: call windlass doctor" in str(
        result("token-role", settings(variables=(OPEN_TOKEN, own), token=strong)).unseen
    )


def test_which_role_the_jobs_token_has_is_not_seen_with_a_persons_own() -> None:
    found = result("token-role", token(Token("ann", level=40), protected=False))
    assert (found.problems, found.state) == ((), "unseen")


def test_a_flavors_tags_need_a_runner_that_has_all_of_them() -> None:
    runners = {"gpu": {"tags": ["gpu", "linux"]}, "cpu": {"tags": ["linux"]}}
    dev = environment("dev", None, flavors={"gpu": {}, "cpu": {}}, runners=runners)
    found = result("runner-tags", replace(GOOD, environments={"dev": dev}))
    assert found.problems == ("no runner that is online has the tags of flavor 'gpu': gpu, linux; there are: linux",)


def test_what_was_seen_before_something_could_not_be_seen_counts() -> None:
    found = result("include-ref", replace(settings(platform_tags=Unseen("no")), ci_file=ci(
        Include(PATH, "main", "ci/model.yml"), Include(PATH, "v1", "ci/lint.yml")).ci_file))  # fmt: skip
    assert len(found.problems) == 1
    assert found.unseen == "no"
    assert found.state == "error"


def test_names_of_secrets_are_those_of_passwords_variables_and_connections() -> None:
    prod = environment("prod", "dev", connections={"dwh": {"type": "postgres", "password": "${DWH}"}})
    examined = replace(
        settings(variables=(Variable("DWH", "prod"), *variables("*", False), *variables("prod", True))),
        environments={"dev": environment("dev", None), "prod": prod},
    )
    assert ["DWH" in problem for problem in result("variable-masked", examined).problems] == [True]
    assert ["DWH" in problem for problem in result("variable-protected", examined).problems] == [True]


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        ("main", "main", True),
        ("main", "mainline", False),
        ("*", "", True),
        ("v*", "v1", True),
        ("v*", "xv1", False),
        ("v*.0", "v1.0", True),
        ("v*.0", "v1.01", False),
        ("a*a", "a", False),
        ("a*b*c", "aXbYc", True),
        ("a*b*c", "aXcYb", False),
        ("v[0-9]", "v1", False),
        ("prod/*", "prod/eu", True),
    ],
)
def test_a_star_is_all_that_is_special_in_a_pattern(pattern: str, name: str, expected: bool) -> None:
    assert matches(pattern, name) is expected
