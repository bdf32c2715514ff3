"""The page on GitLab leads to each check of doctor, and its calls are those that doctor tells."""

import re
from pathlib import Path

import pytest

from tests.ci.listing import listed_jobs, repository
from windlass.doctor.checks import CHECKS
from windlass.stack.gitlab import app

PAGE = (Path(__file__).parents[2] / "docs/gitlab.md").read_text()
NAMES = [check.NAME for check in CHECKS]


@pytest.mark.parametrize("name", NAMES)
def test_each_check_of_doctor_is_beside_the_setting_that_it_looks_at(name: str) -> None:
    assert f"(doctor.md#{name})" in PAGE


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.NAME)
def test_the_attributes_of_a_call_are_those_that_doctor_tells(check: object) -> None:
    told = [
        word for word in str(getattr(check, "API", "")).replace(",", "").split() if "=" in word and "..." not in word
    ]
    names = {word.partition("=")[0] for word in told if not word.startswith(("filter", "key", "masked", "value"))}
    assert [name for name in sorted(names) if name not in PAGE] == []


def test_the_stand_in_takes_each_call_but_those_that_the_page_names() -> None:
    known = [
        re.sub(r"\{\w+\}", "[^/]+", f"{route.method} {route.path}") for one in app.RESOURCES for route in one.ROUTES
    ]
    calls = set(re.findall(r"(?:GET|POST|PUT|PATCH) /(?:projects|groups|runners)[^ `]*", PAGE))
    unknown = {call for call in calls if not any(re.fullmatch(shape, call) for shape in known)}
    assert unknown == {
        "POST /projects/:id/access_tokens",
        "POST /projects/:id/approval_rules",
        "POST /projects/:id/protected_environments",
        "POST /projects/:platform/share",
        "PUT /runners/:runner_id",
    }


@pytest.mark.stack
def test_the_page_moves_the_comparison_of_prod_out_of_the_protected_environment(tmp_path: Path) -> None:
    found = re.search(r"```yaml\n# \.gitlab-ci\.yml of the platform\n(.*?)```", PAGE, re.S)
    assert found is not None
    included = [
        f"  - {{local: /ci/environments.yml, inputs: {{project: platform_pipelines, environment: {name}}}}}\n"
        for name in ("dev", "prod")
    ]
    clone = repository(tmp_path / "platform", "include:\n" + "".join(included) + found[1])
    merge_request = ["--variable", "CI_PIPELINE_SOURCE=merge_request_event", "--unset-variable", "CI_COMMIT_BRANCH"]
    assert {name: job.environment for name, job in listed_jobs(clone, merge_request).items()} == {
        "platform_pipelines:env:diff:dev": "dev",
        "platform_pipelines:env:diff:prod": "compare-prod",
    }
