"""The release of the platform itself: the version in all its places, the notes, and the package that the jobs send."""

import base64
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.test_templates import shellchecked
from tests.fakes.http_stub import http_stub

ROOT = Path(__file__).parents[2]
OWN = yaml.safe_load((ROOT / ".gitlab-ci.yml").read_text())
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of all that a version stands in, with 0.1.0 released and 0.2.0 under way."""
    copy = tmp_path / "windlass"
    for name in (".ci", "ci", "scripts/windlass"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    change(copy / "scripts/windlass/__init__.py", r'^__version__ = ".*"$', '__version__ = "0.2.0.dev0"')
    (copy / "CHANGELOG.md").write_text(
        "# Changelog\n\n## 0.2.0 (unreleased)\n\n- New ([docs](docs/new.md), [rules](#rules), "
        "[web](https://example.org)).\n\n## 0.1.0 (2026-11-23)\n\n- The first.\n"
    )
    return copy


@pytest.fixture
def release(checkout: Path) -> Run:
    """Runs the command in the copy."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, ".ci/release.py", *arguments]
        environment = {"CI_PROJECT_URL": "https://gitlab.example/data/windlass"}
        return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)

    return run


def change(path: Path, pattern: str, text: str) -> None:
    before = path.read_text()
    after = re.sub(pattern, text, before, flags=re.M)
    assert after != before
    path.write_text(after)


def make(checkout: Path, release: Run, version: str) -> None:
    """What `make version` does; that the tests write the CI files with a released version, a test of theirs shows."""
    assert release("set", version).returncode == 0
    for path in (checkout / "ci").glob("*.yml"):
        path.write_text(re.sub(r"(    platform_ref:\n.*\n      default: ).*", rf"\g<1>v{version}", path.read_text()))


def test_a_version_is_released_under_the_day_and_the_next_one_is_opened_above_it(checkout: Path, release: Run) -> None:
    assert release("set", "0.2.0").returncode == 0
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    changelog = (checkout / "CHANGELOG.md").read_text()
    assert re.findall("^## (.*)$", changelog, re.M) == [f"0.2.0 ({today})", "0.1.0 (2026-11-23)"]
    assert '\n__version__ = "0.2.0"\n' in (checkout / "scripts/windlass/__init__.py").read_text()
    assert release("set", "0.3.0.dev0").returncode == 0
    after = (checkout / "CHANGELOG.md").read_text()
    assert after == changelog.replace("## 0.2.0", "## 0.3.0 (unreleased)\n\n## 0.2.0")
    assert '\n__version__ = "0.3.0.dev0"\n' in (checkout / "scripts/windlass/__init__.py").read_text()


def test_another_number_than_planned_is_the_headings_too(checkout: Path, release: Run) -> None:
    assert release("set", "1.0.0").returncode == 0
    assert re.search(r"^## 1\.0\.0 \(\d", (checkout / "CHANGELOG.md").read_text(), re.M)
    assert "## 0.2.0" not in (checkout / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("version", ["", "v0.2.0", "0.2", "0.2.0-rc1", "0.2.0.dev1"])
def test_what_is_no_version_changes_nothing(checkout: Path, release: Run, version: str) -> None:
    before = (checkout / "CHANGELOG.md").read_text()
    done = release("set", version)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert f"{version!r} is no version" in done.stderr
    assert (checkout / "CHANGELOG.md").read_text() == before


def test_what_is_released_is_not_released_under_another_number(checkout: Path, release: Run) -> None:
    assert release("set", "0.2.0").returncode == 0
    done = release("set", "0.2.1")
    assert done.returncode == 1
    assert "begins with 0.2.0, which is released" in done.stderr


def test_the_notes_are_the_versions_section_with_links_to_the_files_of_the_tag(checkout: Path, release: Run) -> None:
    make(checkout, release, "0.2.0")
    done = release("notes", "v0.2.0")
    assert done.returncode == 0, done.stderr
    files = "https://gitlab.example/data/windlass/-/blob/v0.2.0"
    assert done.stdout == f"- New ([docs]({files}/docs/new.md), [rules](#rules), [web](https://example.org)).\n"


@pytest.mark.parametrize(
    ("path", "pattern", "other", "words"),
    [
        ("scripts/windlass/__init__.py", '"0.2.0"', '"0.2.1"', '__version__ = "0.2.1"'),
        ("CHANGELOG.md", r"^## 0.2.0 \(.*\)", "## 0.2.0 (unreleased)", "CHANGELOG.md begins with '## 0.2.0 (unrel"),
        ("CHANGELOG.md", "^## 0.2.0", "## 0.2.1", "CHANGELOG.md begins with '## 0.2.1 ("),
        ("ci/train.yml", "default: v0.2.0", "default: main", "ci/train.yml has the default 'main' for platform_ref"),
    ],
)
def test_a_tag_that_one_place_does_not_say_has_no_notes(
    checkout: Path, release: Run, path: str, pattern: str, other: str, words: str
) -> None:
    make(checkout, release, "0.2.0")
    change(checkout / path, pattern, other)
    done = release("notes", "v0.2.0")
    assert (done.returncode, done.stdout) == (1, "")
    assert words in done.stderr
    assert "which is not v0.2.0: make version VERSION=0.2.0" in done.stderr


@pytest.mark.parametrize("tag", ["v0.2.1", "0.2.0", "v0.1.0"])
def test_another_tag_has_no_notes(checkout: Path, release: Run, tag: str) -> None:
    make(checkout, release, "0.2.0")
    done = release("notes", tag)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"which is not {tag}" in done.stderr


@pytest.mark.parametrize("status", [201, 400])
def test_the_job_sends_the_tools_wheel_of_the_tag_and_fails_where_it_is_not_taken(
    checkout: Path, release: Run, status: int
) -> None:
    make(checkout, release, "0.2.0")
    script = "\n".join(OWN["wheel"]["script"])
    with http_stub(lambda request: (status, {"message": "said"})) as gitlab:
        environment = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PIP_NO_BUILD_ISOLATION": "0",  # pip's way to say that there is none: hatchling is here
            "PIP_NO_INDEX": "1",
            "CI_COMMIT_TAG": "v0.2.0",
            "CI_API_V4_URL": gitlab.url,
            "CI_PROJECT_ID": "42",
            "CI_JOB_TOKEN": "of the job",
        }
        command = ["bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
        (sent,) = gitlab.requests
    assert (done.returncode == 0) == (status == 201), done.stderr
    assert (sent.method, sent.path) == ("POST", "/projects/42/packages/pypi")
    who = base64.b64encode(b"gitlab-ci-token:of the job").decode()
    assert sent.headers["Authorization"] == f"Basic {who}"
    assert form(sent.raw) == {"name": b"windlass", "version": b"0.2.0", "requires_python": b">=3.11"}
    (wheel,) = (checkout / "dist").iterdir()
    assert wheel.name == "windlass-0.2.0-py3-none-any.whl"
    assert wheel.read_bytes() in sent.raw
    assert (checkout / "release-notes.md").read_text().startswith("- New (")


def form(body: bytes) -> dict[str, bytes]:
    """The fields of the form that are no files."""
    found = re.findall(rb'name="(\w+)"\r\n\r\n(.*?)\r\n--', body, re.S)
    return {name.decode(): value for name, value in found}


def test_gitlabs_release_is_made_by_its_keyword_after_all_tests_and_before_any_promotion() -> None:
    job: dict[str, Any] = OWN["release"]
    assert job["release"]["tag_name"] == "$CI_COMMIT_TAG"
    assert job["release"]["description"] in OWN["wheel"]["artifacts"]["paths"]
    assert (OWN["wheel"]["needs"], job["needs"]) == (["check"], ["wheel"])
    assert OWN["platform_pipelines:promote:prod"] == {"needs": [{"job": "release", "optional": True}]}


def test_the_catalog_finds_what_it_asks_of_the_repository() -> None:
    assert (ROOT / "README.md").read_text().strip()
    assert 1 <= len(list((ROOT / "templates").glob("*.yml"))) <= 30, "GitLab takes no more components of a project"


def test_the_pipeline_is_one_of_gitlab_and_shellcheck_has_nothing_to_say_about_its_lines() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.gitlab-ci"]
    command += ["--data-transform", "gitlab-ci", str(ROOT / ".gitlab-ci.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    for job in ("check", "wheel", "release"):
        assert shellchecked("\n".join(OWN[job]["script"])) == ""
