"""Real git over the stand-in's HTTP: who may read and push, and that no path leads out of the repositories."""

import http.client
import os
import subprocess
from pathlib import Path

import gitlab
import pytest

from tests.fakes.standin import Checkout, Company, new_project
from windlass.spec.errors import ServiceError
from windlass.stack.gitlab.app import Standin
from windlass.stack.publish import Remote


@pytest.fixture
def projects(api: gitlab.Gitlab, checkout: Checkout) -> Checkout:
    """A public and a private project with the same commit."""
    new_project(api, "platform/windlass", visibility="public")
    new_project(api, "models/digits")
    checkout.commit(readme="hello")
    checkout.push("platform/windlass", "main")
    checkout.push("models/digits", "main")
    return checkout


def clone(url: str, to: Path, *options: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"GIT_TERMINAL_PROMPT": "0", "GIT_CONFIG_GLOBAL": "/dev/null"}
    command = ["git", "clone", "--quiet", *options, url, str(to)]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def with_token(standin: Standin, token: str, path: str) -> str:
    return standin.url.replace("//", f"//gitlab-ci-token:{token}@") + path


@pytest.mark.parametrize("suffix", ["", ".git"])
def test_a_public_project_is_cloned_by_anybody(
    standin: Standin, projects: Checkout, tmp_path: Path, suffix: str
) -> None:
    done = clone(f"{standin.url}/platform/windlass{suffix}", tmp_path / "c", "--depth", "1", "--branch", "main")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "c/readme").read_text() == "hello"


def test_a_private_project_needs_a_token_and_a_wrong_one_is_refused(
    standin: Standin, projects: Checkout, tmp_path: Path, company: Company
) -> None:
    assert clone(f"{standin.url}/models/digits.git", tmp_path / "none").returncode
    assert clone(with_token(standin, "wrong", "/models/digits.git"), tmp_path / "wrong").returncode
    assert clone(with_token(standin, "wrong", "/platform/windlass.git"), tmp_path / "public").returncode == 0
    head = projects.git("rev-parse", "HEAD")
    with company.job(company.root.projects.get("models/digits"), "root", "main", head) as token:
        assert clone(with_token(standin, token, "/models/digits.git"), tmp_path / "job").returncode == 0
    assert clone(with_token(standin, token, "/models/digits.git"), tmp_path / "after").returncode


def test_a_wrong_token_may_not_push(standin: Standin, projects: Checkout) -> None:
    with pytest.raises(ServiceError):
        projects.push_as(Remote(standin.url, "wrong"), "platform/windlass", "refs/heads/x")


def test_a_push_larger_than_gits_buffer_arrives_whole(standin: Standin, projects: Checkout, tmp_path: Path) -> None:
    blob = os.urandom(3_000_000)
    (projects.folder / "blob").write_bytes(blob)
    projects.commit("a big file")
    projects.push("platform/windlass", "main")  # over 1 MB git sends in chunks, without a length
    assert clone(f"{standin.url}/platform/windlass.git", tmp_path / "c").returncode == 0
    assert (tmp_path / "c/blob").read_bytes() == blob


def test_a_partial_clone_as_gitlab_ci_local_makes_it_works(
    standin: Standin, projects: Checkout, tmp_path: Path
) -> None:
    options = ("-n", "--depth=1", "--filter=tree:0", "--branch", "main")
    assert clone(f"{standin.url}/platform/windlass.git", tmp_path / "c", *options).returncode == 0
    subprocess.run(["git", "checkout", "--quiet"], cwd=tmp_path / "c", check=True)
    assert (tmp_path / "c/readme").read_text() == "hello"


OUTSIDE = """
/../../../etc/passwd
/platform/../../records/projects.json
/platform/%2e%2e/%2e%2e/records/info/refs
/platform/windlass.git/../1.git/info/refs
/platform/windlass.git/objects/info/packs
/platform/windlass.git/HEAD
/repositories/1.git/info/refs?service=git-upload-pack
/1.git/info/refs?service=git-upload-pack
/nobody/nothing.git/info/refs?service=git-upload-pack
/models/digits.git/info/refs
"""


def test_no_url_leads_anywhere_but_to_a_known_projects_git(standin: Standin, projects: Checkout) -> None:
    for path in OUTSIDE.split():
        connection = http.client.HTTPConnection(standin.url.removeprefix("http://"), timeout=5)
        connection.request("GET", path)  # sent as it is: `requests` would tidy it
        assert connection.getresponse().status in (401, 404), path
