"""The same gate before the stack's GitLab stand-in: what the two say of each other's words."""

import os
from pathlib import Path

import pytest

from tests.fakes.standin import MAINTAINER, Company
from tests.gate.conftest import RELEASE, USUAL
from tests.stack.conftest import company, standin  # noqa: F401 - fixtures
from windlass.cli.context import environments
from windlass.cli.gating import gatekeeper
from windlass.delivery.gate.question import Question

pytestmark = pytest.mark.stack

FILES = {
    "environments/base.yml": "s3: {code: code, models: models, data: data}\n",
    "environments/dev.yml": "extends: base\n",
    "environments/prod.yml": f"extends: base\nupstream: dev\n{USUAL}",
    "environments/roles.yml": "data-engineer: {users: [bob]}\nmanager: {users: [mia]}\ndeveloper: {users: [dev]}\n",
}


def test_a_merge_request_from_refusal_to_approval_and_a_push_after_it(
    company: Company,  # noqa: F811 - the fixture
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in os.environ if name.startswith(("CI", "GIT", "WINDLASS"))]:
        monkeypatch.delenv(name)
    company.project("platform/windlass", visibility="public")
    platform = company.checkout("root", tmp_path / "platform")
    platform.commit("policy", **FILES)
    platform.push("platform/windlass", "main")
    people = {"ann": MAINTAINER, "bob": MAINTAINER, "dev": MAINTAINER, "mia": MAINTAINER}
    project = company.project("ocr/digits", **people)
    project.protectedtags.create({"name": "v*", "create_access_level": MAINTAINER})
    checkout = company.checkout("ann", tmp_path / "checkout")
    live = checkout.commit("first", readme="1")
    checkout.push("ocr/digits", "main")
    checkout.commit("change", pipelines__a="1")
    checkout.push("ocr/digits", "change")
    ann, bob = (company.api(name).projects.get("ocr/digits") for name in ("ann", "bob"))
    request = ann.mergerequests.create({"source_branch": "change", "target_branch": "main", "title": "Change"})
    bob.mergerequests.get(request.iid).approve()
    checkout.commit("one more", pipelines__b="1")
    checkout.push("ocr/digits", "change")
    merged = ann.mergerequests.get(request.iid)
    merged.merge()
    commit = ann.mergerequests.get(request.iid).merge_commit_sha
    company.api("dev").projects.get("ocr/digits").tags.create({"tag_name": "v1", "ref": commit})
    monkeypatch.chdir(tmp_path / "platform")
    variables = {
        "GITLAB_CI": "true",
        "CI_SERVER_URL": company.standin.url,
        "CI_PROJECT_ID": str(project.id),
        "CI_PROJECT_PATH": "ocr/digits",
        "WINDLASS_PLATFORM": "platform/windlass",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    def refusals() -> str:
        gate = gatekeeper(environments(None)["prod"])
        assert gate is not None
        decision = gate.ask(Question("prod", "digits", RELEASE, commit, "v1", live))
        assert decision is not None
        return "\n".join(decision.refusals)

    with company.job(project, "dev", "v1", commit, tag=True) as token:
        monkeypatch.setenv("CI_JOB_TOKEN", token)
        for private in (None, company.token("root")):
            if private:
                monkeypatch.setenv("WINDLASS_GITLAB_TOKEN", private)
            told = refusals().split("\n")
            assert len(told) == 2, told
            assert all("bob approved before the last push" in one for one in told)
