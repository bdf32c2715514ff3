"""Finding a release again, from S3 alone."""

import pytest

from tests.delivery.conftest import World
from windlass.delivery.release.find import lived, published_as, published_from, published_tagged
from windlass.spec.errors import DeliveryError

ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40


def test_a_release_is_found_by_commit_digest_and_tag(world: World) -> None:
    archive = world.publish(ONE, {"read": "one"}, tag="v1")
    dev = world.place("dev")
    for found in (
        published_from(dev, "digits", ONE),
        published_from(dev, "digits", "1111111"),
        published_as(dev, "digits", archive.digest[:8]),
        published_as(dev, "digits", archive.digest),
        published_tagged(dev, "digits", "v1"),
    ):
        assert found.release == archive.digest


def test_a_tag_that_came_with_a_promotion_is_found_too(world: World) -> None:
    archive = world.publish(ONE, {"read": "one"})
    world.promote(archive, ONE, "stage", tag="v1")
    assert published_tagged(world.place("stage"), "digits", "v1").release == archive.digest


def test_what_is_not_there_is_named_with_what_to_do(world: World) -> None:
    dev = world.place("dev")
    with pytest.raises(
        DeliveryError, match="no release of digits from commit 111111111111 in dev; run windlass release"
    ):
        published_from(dev, "digits", ONE)
    with pytest.raises(DeliveryError, match="at least 8 hex digits"):
        published_as(dev, "digits", "abc")
    with pytest.raises(DeliveryError, match="with tag 'v9'"):
        published_tagged(dev, "digits", "v9")
    with pytest.raises(DeliveryError, match="never promoted to dev"):
        lived(dev, "digits", "previous")


def test_a_digest_that_stands_for_two_releases_is_refused(world: World) -> None:
    dev = world.place("dev")
    for end in ("0", "1"):
        digest = "abcdef01" + end * 56
        record = published_from_text(digest)
        world.store.objects[f"dev/provenance/digits/{digest}/{ONE}.json"] = record
    with pytest.raises(DeliveryError, match="stands for 2 releases"):
        published_as(dev, "digits", "abcdef01")


def published_from_text(digest: str) -> bytes:
    return (
        f'{{"project": "digits", "release": "{digest}", "commit": "{ONE}", '
        '"built_at": "2026-11-22T10:00:00Z", "tool_version": "0"}'
    ).encode()


def test_of_two_builds_of_one_commit_the_newer_one_is_meant(world: World) -> None:
    for digest, hour in (("a" * 64, "11"), ("b" * 64, "10")):
        content = published_from_text(digest).replace(b"T10:", f"T{hour}:".encode())
        world.store.objects[f"dev/provenance/digits/{digest}/{ONE}.json"] = content
    assert published_from(world.place("dev"), "digits", ONE).release == "a" * 64


def test_provenance_that_was_moved_is_refused(world: World) -> None:
    world.store.objects[f"dev/provenance/digits/{'c' * 64}/{ONE}.json"] = published_from_text("a" * 64)
    with pytest.raises(DeliveryError, match="was altered"):
        published_from(world.place("dev"), "digits", ONE)


def test_what_lived_is_found_by_every_name(world: World) -> None:
    first = world.publish(ONE, {"read": "one"})
    world.promote(first, ONE, "stage", tag="v1")
    world.promote(world.publish(TWO, {"read": "two"}), TWO, "stage", tag="v2")
    stage = world.place("stage")
    for name in ("v1", ONE, "1111111", first.digest[:8], "previous"):
        assert lived(stage, "digits", name).release == first.digest
    with pytest.raises(DeliveryError, match="'v3' was never live as digits in stage; these were, newest first: v2, v1"):
        lived(stage, "digits", "v3")


def test_previous_means_the_last_promotion_undone_and_asking_twice_changes_nothing(world: World) -> None:
    archives = {commit: world.publish(commit, {"read": commit}) for commit in (ONE, TWO, THREE)}
    for commit, archive in archives.items():
        world.promote(archive, commit, "stage")
    stage = world.place("stage")
    for _ in range(2):
        earlier = lived(stage, "digits", "previous")
        assert earlier.commit == TWO
        world.rollback(earlier, "stage")


def test_previous_looks_past_another_project_and_past_the_same_release_under_another_commit(world: World) -> None:
    first, second = world.publish(ONE, {"read": "one"}), world.publish(TWO, {"read": "two"})
    world.promote(first, ONE, "stage")
    world.promote(second, TWO, "stage")
    world.promote(second, THREE, "stage")
    world.promote(world.publish(ONE, {"sort": "x"}, project="letters"), ONE, "stage", project="letters")
    assert lived(world.place("stage"), "digits", "previous").release == first.digest
    with pytest.raises(DeliveryError, match="has had one release only"):
        lived(world.place("stage"), "letters", "previous")
