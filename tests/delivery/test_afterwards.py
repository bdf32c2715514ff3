"""What GitLab is told after a promotion: each thing once, and all of it by the next run, whatever went wrong before."""

import itertools
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.gitlab.faults import FAULTS, PASSING, Killed, fault_at
from tests.delivery.conftest import World, settings
from tests.fakes.gitlab_server import GitlabServer, at_hand
from tests.fakes.http_stub import http_stub
from windlass.cli.afterwards import Delivered, changed_by, tell, tell_gitlab
from windlass.delivery.plan.plan import Origin
from windlass.delivery.promotion.perform import Author, Outcome, perform
from windlass.delivery.promotion.survey import Decide, deciding_promotion
from windlass.delivery.release.archive import Archive, Release, read_archive

ONE, TWO = "1" * 40, "2" * 40
IN_JOB = {"CI_COMMIT_SHA": TWO, "CI_PIPELINE_ID": "9", "CI_JOB_URL": "https://x/-/jobs/1", "CI_DEFAULT_BRANCH": "trunk"}
OWN_ENVIRONMENT = {**IN_JOB, "CI_ENVIRONMENT_NAME": "stage", "CI_ENVIRONMENT_ACTION": "start"}


@pytest.fixture
def server() -> GitlabServer:
    return GitlabServer(environments=[{"id": 3, "name": "stage", "auto_stop_setting": "always"}])


def release_of(archive: Archive) -> Release:
    return read_archive("digits", archive.digest, archive.content)


def deciding(world: World, archive: Archive, commit: str, tag: str | None) -> Decide:
    places = world.place("dev"), world.place("stage")
    return deciding_promotion(*places, settings("stage"), release_of(archive), Origin(commit, tag))


def again(world: World, archive: Archive, *, commit: str = TWO, tag: str | None = "v2", **more: bool) -> Delivered:
    """What `promote` would tell now."""
    decide = deciding(world, archive, commit, tag)
    outcome = perform(decide, world.place("dev"), world.place("stage"), Author(actor="ann"), clock=world.clock)
    return delivered(world, decide, outcome, archive, **more)


def delivered(
    world: World, decide: Decide, outcome: Outcome, archive: Archive, *, is_last: bool = True, is_verified: bool = True
) -> Delivered:
    changed = partial(changed_by, decide, outcome, world.place("stage"))
    return Delivered(outcome, release_of(archive), changed, is_last=is_last, is_verified=is_verified)


@pytest.fixture
def two(world: World) -> Archive:
    """v2, with another model, while v1 is live in stage."""
    first = world.publish(ONE, {"read": "1"}, {"digits": world.train("a" * 16, 0.95)}, tag="v1")
    world.promote(first, ONE, "stage", tag="v1")
    return world.publish(TWO, {"read": "2"}, {"digits": world.train("b" * 16, 0.97)}, tag="v2")


def test_deployment_release_status_and_setting_are_made_once(world: World, two: Archive, server: GitlabServer) -> None:
    for _ in range(3):
        tell(at_hand(server), again(world, two), IN_JOB)
    assert [(one["environment"], one["sha"], one["ref"], one["tag"]) for one in server.deployments] == [
        ("stage", TWO, "v2", True)
    ]
    (name, content), *others = server.files
    assert (name, others) == (f"windlass/{two.digest[:12]}/digits-manifest.json", [])
    assert b"digits" in content
    release = server.releases["v2"]
    assert [link["url"].rpartition("/api/v4/")[2] for link in release["links"]] == [
        f"projects/42/packages/generic/{name}"
    ]
    (status,) = server.statuses
    assert (status["name"], status["sha"], status["pipeline_id"]) == ("windlass/stage", TWO, 9)
    assert status["description"] == f"v2 ({two.digest[:12]}) was promoted to stage and verified"
    assert server.environments[0]["auto_stop_setting"] == "with_action"


def test_the_notes_of_a_release_say_what_came_with_it_also_in_a_later_run(
    world: World, two: Archive, server: GitlabServer
) -> None:
    whole = again(world, two)
    tell(at_hand(server), whole, IN_JOB)
    notes = server.releases["v2"]["description"]
    assert notes.startswith("### `digits` in `stage`: from `v1 (")
    assert "| `digits` | `accuracy` | `0.95` | `0.97` | `+0.02` | `at least 0.9, not below live` |" in notes
    server.releases.clear()
    later = again(world, two)
    assert (whole.outcome.changed, later.outcome.changed) == (True, False)
    tell(at_hand(server), later, IN_JOB)
    assert server.releases["v2"]["description"] == notes
    for key in [key for key in world.store.objects if "/states/" in key]:
        del world.store.objects[key]
    server.releases.clear()
    tell(at_hand(server), later, IN_JOB)
    assert server.releases["v2"]["description"].startswith("### `digits` in `stage`: from `v2 ("), "all that is known"


def test_a_job_with_an_environment_makes_its_own_deployment(world: World, two: Archive, server: GitlabServer) -> None:
    tell(at_hand(server), again(world, two), OWN_ENVIRONMENT)
    assert server.deployments == []
    for action in ("verify", "access", "prepare"):
        tell(at_hand(server), again(world, two), {**OWN_ENVIRONMENT, "CI_ENVIRONMENT_ACTION": action})
    assert len(server.deployments) == 1


def test_outside_of_ci_the_project_of_origin_is_told(
    world: World, two: Archive, server: GitlabServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("CI", "GITLAB", "WINDLASS"))]:
        monkeypatch.delenv(name)
    for command in (["init", "-q"], ["remote", "add", "origin", "git@gitlab.example:g/p.git"]):
        subprocess.run(["git", *command], check=True)
    told = again(world, two)
    with http_stub(server.answer) as stub:
        monkeypatch.setenv("WINDLASS_GITLAB_URL", stub.url)
        tell_gitlab(told)
        assert server.calls == []
        monkeypatch.setenv("WINDLASS_GITLAB_TOKEN", "mine")
        tell_gitlab(told)
    assert [(one["sha"], one["ref"]) for one in server.deployments] == [(TWO, "v2")]
    assert list(server.releases) == ["v2"]


@pytest.mark.parametrize(
    ("variables", "ref"),
    [
        ({"CI_COMMIT_SHA": TWO, "CI_COMMIT_BRANCH": "main2"}, "main2"),
        ({"CI_COMMIT_BRANCH": "else"}, "main"),
        (IN_JOB, "trunk"),
    ],
)
def test_without_a_tag_there_is_no_release_and_the_deployment_is_of_a_branch(
    world: World, two: Archive, server: GitlabServer, variables: dict[str, str], ref: str
) -> None:
    tell(at_hand(server), again(world, two, tag=None), variables)
    assert server.releases == {}
    assert server.files == []
    assert [(one["ref"], one["tag"]) for one in server.deployments] == [(ref, False)]


def test_only_the_last_environment_makes_a_release_and_only_what_was_verified_gets_a_status(
    world: World, two: Archive, server: GitlabServer
) -> None:
    tell(at_hand(server), again(world, two, is_last=False, is_verified=False), IN_JOB)
    assert (server.releases, server.statuses) == ({}, [])
    tell(at_hand(server, token=None), again(world, two), IN_JOB)
    assert list(server.releases) == ["v2"]
    assert server.statuses == [], "a job's token may not"
    assert "GET statuses" not in server.calls


def test_a_registry_that_is_switched_off_costs_the_asset_alone(
    world: World, two: Archive, server: GitlabServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.meanwhile = lambda call: setattr(server, "point", len(server.calls) - 1 if "manifest" in call else None)
    server.wrong = (403, {"message": "403 Forbidden"})
    tell(at_hand(server), again(world, two), IN_JOB)
    assert server.releases["v2"]["links"] == []
    assert "warning: the GitLab release has no digits-manifest.json yet: GitLab project 42" in capsys.readouterr().err
    server.meanwhile, server.point = lambda call: None, None
    tell(at_hand(server), again(world, two), IN_JOB)
    assert len(server.releases["v2"]["links"]) == 1


def test_a_gitlab_that_is_slow_is_not_waited_for_longer_than_a_minute(
    world: World, two: Archive, server: GitlabServer, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 0.0, 61.0])
    tell(at_hand(server), again(world, two), IN_JOB, monotonic=lambda: next(clock))
    assert (len(server.deployments), server.releases) == (1, {})
    assert "GitLab is slow, so it was not told all; run the same command again" in capsys.readouterr().err


def everything(server: GitlabServer) -> dict[str, Any]:
    return {
        "deployments": [one["sha"] for one in server.deployments],
        "files": [name for name, _ in server.files],
        "releases": {tag: [link["name"] for link in one["links"]] for tag, one in server.releases.items()},
        "statuses": [one["name"] for one in server.statuses],
        "setting": server.environments[0]["auto_stop_setting"],
    }


def test_whatever_goes_wrong_at_whichever_call_nothing_is_made_twice_and_nothing_is_missing_after_the_next_run(
    world: World, two: Archive, capsys: pytest.CaptureFixture[str]
) -> None:
    def fresh() -> GitlabServer:
        return GitlabServer(environments=[{"id": 3, "name": "stage", "auto_stop_setting": "always"}])

    told = again(world, two)
    server = fresh()
    tell(at_hand(server), told, IN_JOB)
    whole, points = everything(server), len(server.calls)
    assert points == 10
    met = 0
    for point, fault, is_done in itertools.product(range(points), FAULTS, (False, True)):
        server = fresh()
        with fault_at(point, fault, server, is_done=is_done) as connection:
            try:
                tell(connection, told, IN_JOB)
            except Killed:
                assert fault == "killed"
        warned = capsys.readouterr().err
        assert "Traceback" not in warned
        if fault in PASSING:
            assert everything(server) == whole, f"{fault} at {point}"
            assert "warning" not in warned
        elif fault != "killed":
            assert "warning" in warned, f"{fault} at {point}"
        tell(at_hand(server), told, IN_JOB)
        assert everything(server) == whole, f"{fault} at {point}, {is_done}"
        met += 1
    assert met == points * len(FAULTS) * 2
    with capsys.disabled():
        sys.stdout.write(f"\nafterwards: {len(FAULTS)} faults before and after each of {points} calls: {met} points\n")
