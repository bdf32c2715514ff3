"""What git says about a folder, and what a hostile repository cannot make it do."""

import subprocess
from pathlib import Path

import pytest

from windlass.adapters import git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    run(tmp_path, "init", "-q", "-b", "main")
    run(tmp_path, "config", "user.email", "a@example.com")
    run(tmp_path, "config", "user.name", "a")
    (tmp_path / "file").write_text("1")
    run(tmp_path, "add", "file")
    run(tmp_path, "commit", "-q", "-m", "one")
    return tmp_path


def run(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_a_repository_tells_commit_branch_tag_and_origin(repository: Path) -> None:
    run(repository, "remote", "add", "origin", "https://gitlab.example/ocr/digits-model.git")
    for tag in ("v1.9.0", "v1.10.0"):
        run(repository, "tag", tag)
    head = run(repository, "rev-parse", "HEAD")
    assert git.commit(repository) == head
    assert git.find_commit(repository, "v1.9.0") == head
    assert git.find_commit(repository, head[:8]) == head
    assert git.branch(repository) == "main"
    assert git.tag(repository) == "v1.10.0"
    assert git.origin_name(repository) == "digits-model"
    assert git.is_clean(repository)


@pytest.mark.parametrize(
    "address", ["git@gitlab.example:ocr/digits.git", "ssh://git@x:22/ocr/digits/", "/srv/digits.git"]
)
def test_every_form_of_address_has_a_name(repository: Path, address: str) -> None:
    run(repository, "remote", "add", "origin", address)
    assert git.origin_name(repository) == "digits"


def test_outside_of_a_repository_nothing_is_known(tmp_path: Path) -> None:
    assert git.commit(tmp_path) is None
    assert git.origin_name(tmp_path) is None
    assert git.tag(tmp_path) is None


def test_a_changed_file_is_noticed_and_an_untracked_one_is_not(repository: Path) -> None:
    (repository / "new").write_text("x")
    assert git.is_clean(repository)
    (repository / "file").write_text("2")
    assert not git.is_clean(repository)


def test_a_revision_that_looks_like_an_option_is_none(repository: Path) -> None:
    assert git.find_commit(repository, "--output=x") is None
    assert not (repository / "x").exists()


def test_programs_that_the_repository_names_are_not_started(repository: Path) -> None:
    trap = repository / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {repository}/sprung\n")
    trap.chmod(0o755)
    run(repository, "config", "core.fsmonitor", str(trap))
    run(repository, "config", "core.pager", str(trap))
    git.is_clean(repository)
    git.tag(repository)
    assert not (repository / "sprung").exists()


def test_what_a_commit_brought_is_told_along_the_first_parents(repository: Path) -> None:
    first = run(repository, "rev-parse", "HEAD")
    run(repository, "checkout", "-q", "-b", "topic")
    for name in ("a", "b"):
        run(repository, "commit", "-q", "--allow-empty", "-m", name)
    run(repository, "checkout", "-q", "main")
    run(repository, "merge", "-q", "--no-ff", "-m", "merged", "topic")
    merged = run(repository, "rev-parse", "HEAD")
    assert list(git.brought(repository, first, merged)) == [merged]
    assert git.brought(repository, None, merged) == {merged: int(run(repository, "log", "-1", "--format=%ct", merged))}
    assert git.brought(repository, merged, first) == {}
    assert git.brought(repository, "f" * 40, merged) == git.brought(repository, None, "--output=x") == {}
    assert not (repository / "x").exists()
