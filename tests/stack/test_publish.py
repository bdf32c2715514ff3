"""Repositories reach the stand-in as they are on disk, and the person's own repository stays as it was."""

import os
from pathlib import Path

import gitlab
import pytest

from tests.fakes.standin import Checkout, new_project
from windlass.stack import publish
from windlass.stack.publish import Remote

PROJECT = "platform/windlass"


@pytest.fixture
def platform(api: gitlab.Gitlab, checkout: Checkout) -> Checkout:
    """A checkout with a tracked, a changed, a removed, an untracked, an ignored and a tracked-yet-ignored file."""
    new_project(api, "platform/windlass", visibility="public")
    (checkout.folder / ".gitignore").write_text("*.log\nbuild/\n")
    (checkout.folder / "kept.log").write_text("kept")
    checkout.git("add", "--force", "kept.log")
    checkout.commit(tracked="tracked", changed="old", removed="removed")
    (checkout.folder / "changed").write_text("new")
    (checkout.folder / "removed").unlink()
    (checkout.folder / "untracked with space").write_text("untracked")
    (checkout.folder / "*").write_text("a star")
    (checkout.folder / "debug.log").write_text("ignored")
    (checkout.folder / "link").symlink_to("nowhere")
    return checkout


def test_the_versions_of_the_checkout_are_published_and_other_tags_are_not(
    remote: Remote, platform: Checkout, api: gitlab.Gitlab, tmp_path: Path
) -> None:
    def published() -> set[str]:
        return {tag.name for tag in api.projects.get(PROJECT).tags.list(get_all=True)}

    assert publish.push_versions(remote, platform.folder, PROJECT) == 0
    for tag in ("v1.0.0", "v1.1.0", "mine"):
        platform.git("tag", tag)
    snapshot(remote, platform, tmp_path)
    assert publish.push_versions(remote, platform.folder, PROJECT) == 2
    assert published() == {"v1.0.0", "v1.1.0"}
    assert publish.clone(remote, PROJECT, "v1.1.0", tmp_path / "clone") == platform.git("rev-parse", "HEAD")
    platform.commit("Later", changed="newer")
    platform.git("tag", "--force", "v1.1.0")
    assert publish.push_versions(remote, platform.folder, PROJECT) == 2, "a version that was made again"

    shallow = tmp_path / "shallow"
    platform.git("clone", "--quiet", "--depth", "1", "--branch", "v1.1.0", platform.folder.as_uri(), str(shallow))
    assert publish.push_versions(remote, shallow, PROJECT) == 0


def snapshot(remote: Remote, platform: Checkout, tmp_path: Path) -> str:
    return publish.push_snapshot(remote, platform.folder, tmp_path / "scratch.git", PROJECT)


def test_a_snapshot_holds_what_git_does_not_ignore(remote: Remote, platform: Checkout, tmp_path: Path) -> None:
    commit = snapshot(remote, platform, tmp_path)
    assert publish.clone(remote, PROJECT, "main", tmp_path / "clone") == commit
    found = {path.name for path in (tmp_path / "clone").iterdir()} - {".git"}
    assert found == {".gitignore", "kept.log", "tracked", "changed", "untracked with space", "*", "link"}
    assert (tmp_path / "clone/changed").read_text() == "new"
    assert os.readlink(tmp_path / "clone/link") == "nowhere"  # noqa: PTH115 - the text of the link itself


def test_a_snapshot_leaves_index_objects_branches_and_files_alone(
    remote: Remote, platform: Checkout, tmp_path: Path
) -> None:
    platform.git("add", "untracked with space")

    def state() -> list[object]:
        files = [p for p in platform.folder.rglob("*") if p.is_file()]
        return [platform.git("for-each-ref"), sorted((str(p), p.read_bytes()) for p in files)]

    before = state()
    snapshot(remote, platform, tmp_path)
    assert state() == before


def test_the_same_files_make_the_same_commit_and_changed_ones_another(
    api: gitlab.Gitlab, remote: Remote, platform: Checkout, tmp_path: Path
) -> None:
    first = snapshot(remote, platform, tmp_path)
    branch = api.projects.get(PROJECT).protectedbranches.get("main")
    branch.allow_force_push = True  # each snapshot is a first commit
    branch.save()
    assert snapshot(remote, platform, tmp_path) == first
    (platform.folder / "tracked").write_text("changed again")
    assert snapshot(remote, platform, tmp_path) != first


def test_a_push_that_would_lose_commits_is_rejected(remote: Remote, platform: Checkout, tmp_path: Path) -> None:
    snapshot(remote, platform, tmp_path)
    with pytest.raises(publish.Rejected):
        publish.push(remote, platform.folder, PROJECT, platform.git("rev-parse", "HEAD"), "main")


BASE = """\
spec:
  inputs:
    platform_ref:
      description: Branch, tag or commit.
      default: {}
---
"""


@pytest.mark.parametrize(("ref", "tags"), [("v0.2.0", ["v0.2.0"]), ("main", [])])
def test_the_version_that_the_files_say_they_are_is_there_before_it_is_released(
    api: gitlab.Gitlab, remote: Remote, platform: Checkout, tmp_path: Path, ref: str, tags: list[str]
) -> None:
    (platform.folder / "ci").mkdir()
    (platform.folder / "ci/base.yml").write_text(BASE.format(ref))
    for text in ("first", "second"):  # a working copy is rehearsed again after a change
        (platform.folder / "tracked").write_text(text)
        scratch, project = tmp_path / "scratch.git", api.projects.get(PROJECT)
        commit = snapshot(remote, platform, tmp_path)
        publish.push_own_version(remote, platform.folder, scratch, PROJECT, commit)
        assert [tag.name for tag in project.tags.list(get_all=True)] == tags
        for tag in tags:
            assert project.tags.get(tag).commit["id"] == commit
        branch = project.protectedbranches.get("main")
        branch.allow_force_push = True
        branch.save()
