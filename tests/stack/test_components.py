"""A repository that takes the CI files as components of the platform project has the same jobs, and they run."""

import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.ci.events import EVENTS
from tests.ci.listing import ROOT, listed_jobs
from tests.fakes.standin import Company
from windlass.cli.new import command
from windlass.stack import publish
from windlass.stack.rehearsal import rehearse
from windlass.stack.repository import PLATFORM
from windlass.stack.stack import Stack

from .conftest import Checkout, Remote

pytestmark = pytest.mark.stack

COMPONENT = "include: [{{component: $CI_SERVER_FQDN/platform/windlass/{name}@{ref}, inputs: {{project: digits}}}}]\n"
BY_PROJECT = "include: [{project: platform/windlass, ref: main, file: ci/model.yml, inputs: {project: digits}}]\n"
TEMPLATE = """\
spec: {inputs: {project: {}}}
---
include: [{local: /ci/version.yml, inputs: {project: "$[[ inputs.project ]]"}}]
"""


@pytest.fixture
def platform(company: Company, tmp_path: Path) -> Checkout:
    """The platform's project, which anybody may read."""
    company.project(PLATFORM, "public")
    return company.checkout("root", tmp_path / "platform")


@pytest.fixture
def model(company: Company, tmp_path: Path) -> Checkout:
    """A repository of the same server, to be given its .gitlab-ci.yml."""
    model = company.checkout("root", tmp_path / "model")
    model.git("remote", "add", "origin", company.remote("root").project("models/digits"))
    return model


def test_the_components_have_the_jobs_of_the_files(platform: Checkout, model: Checkout) -> None:
    files = [path for folder in ("ci", "templates") for path in (ROOT / folder).glob("*.yml")]
    platform.commit(**{f"{path.parent.name}/{path.name}": path.read_text() for path in files})
    platform.push(PLATFORM, "main")
    for event in ("merge request", "default branch", "tag v1.2.3"):
        model.commit(**{"__gitlab-ci__yml": COMPONENT.format(name="model", ref="main")})
        by_component = listed_jobs(model.folder, EVENTS[event])
        model.commit(**{"__gitlab-ci__yml": BY_PROJECT})
        assert by_component
        assert by_component == listed_jobs(model.folder, EVENTS[event])


def test_a_component_is_that_of_the_branch_tag_commit_or_range_that_is_named(
    platform: Checkout, model: Checkout
) -> None:
    commits = {}
    for version in ("0.1.0", "0.2.0", "0.2.1", "main"):
        job = f'spec: {{inputs: {{project: {{}}}}}}\n---\n"$[[ inputs.project ]]:{version}": {{script: ["true"]}}\n'
        commits[version] = platform.commit(**{"templates/told.yml": TEMPLATE, "ci/version.yml": job})
        if version != "main":
            platform.git("tag", "--annotate", "--message", version, f"v{version}")
    platform.push(PLATFORM, "main")
    publish.push_versions(platform.remote, platform.folder, PLATFORM)
    expected = {
        "main": "main",
        "v0.1.0": "0.1.0",
        commits["0.2.0"]: "0.2.0",
        "0.1": "0.1.0",
        "0": "0.2.1",
        "~latest": "0.2.1",
    }
    found = {}
    for ref in expected:
        model.commit(**{"__gitlab-ci__yml": COMPONENT.format(name="told", ref=ref)})
        (job,) = listed_jobs(model.folder, EVENTS["default branch"])
        found[ref] = job.removeprefix("digits:")
    assert found == expected


@pytest.fixture
def released(tmp_path: Path) -> Checkout:
    """A checkout of the platform whose files are those of its tag v0.9.0; its main has no CI files any more."""
    checkout = Checkout(tmp_path / "released", Remote("http://127.0.0.1:1", ""))
    for folder in ("ci", "templates", "environments"):
        shutil.copytree(ROOT / folder, checkout.folder / folder)
    checkout.commit("Release")
    checkout.git("tag", "v0.9.0")
    checkout.git("rm", "-r", "--quiet", "ci", "templates")  # the gate asks main for the environments
    checkout.commit("No CI files any more")
    return checkout


@pytest.mark.usefixtures("rsync")
def test_the_jobs_of_a_component_run_with_the_platform_of_its_tag(
    small_stack: Stack, released: Checkout, tmp_path: Path
) -> None:
    name = "rents"
    model = Checkout(tmp_path / name, Remote("http://127.0.0.1:1", ""))
    made = CliRunner().invoke(command, [name, "--path", str(model.folder), "--ref", "v0.9.0"])
    assert made.exit_code == 0, made.output
    by_project = (model.folder / ".gitlab-ci.yml").read_text()
    component = f"  - component: $CI_SERVER_FQDN/{PLATFORM}/model@v0.9.0\n"
    by_component = re.sub(r"  - project: .*\n    ref: .*\n    file: ci/model.yml\n", component, by_project)
    assert component in by_component
    model.commit(f"{name} begins", **{"__gitlab-ci__yml": by_component})
    lines: list[str] = []
    rehearsal = rehearse(
        small_stack, model.folder, "merge-request", platform=released.folder, report=print, output=lines.append
    )
    results = {job.name.removeprefix(f"{name}:"): job.result for job in rehearsal.jobs}
    assert rehearsal.ok, f"{results}\n" + "\n".join(lines[-60:])
    assert {"lint", "test", "train:jobs", "train:models", f"train:{name}", "render", "plan"} <= results.keys()
    assert {results[job] for job in ("lint", "test", f"train:{name}", "render", "plan")} == {"passed"}
