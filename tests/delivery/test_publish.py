"""Publishing: once per content, and nothing half done."""

import sys
from contextlib import suppress

import pytest

from tests.delivery.conftest import World
from tests.fakes.releases import make_release
from windlass.delivery.promotion.models import require_trained
from windlass.delivery.release.find import published_from
from windlass.delivery.release.publish import publish
from windlass.spec.errors import DeliveryError
from windlass.spec.release import Provenance, release_key

ARCHIVE = make_release("digits", {"read": "one"})
KEY = release_key("dev", "digits", ARCHIVE.digest)


def record(commit: str = "1" * 40) -> Provenance:
    return Provenance(
        project="digits", release=ARCHIVE.digest, commit=commit, built_at="2026-11-22T10:00:00Z", tool_version="0"
    )


def test_the_same_content_is_published_once_and_each_commit_recorded(world: World) -> None:
    dev = world.place("dev")
    assert publish(dev, ARCHIVE, record())
    assert not publish(dev, ARCHIVE, record("2" * 40))
    assert published_from(dev, "digits", "1" * 40).release == published_from(dev, "digits", "2" * 40).release
    assert len([key for key in world.store.objects if key.endswith(".tar.gz")]) == 1


def test_an_archive_that_was_damaged_where_it_lies_is_repaired(world: World) -> None:
    publish(world.place("dev"), ARCHIVE, record())
    world.store.objects[KEY] = b"damaged"
    publish(world.place("dev"), ARCHIVE, record())
    assert world.store.objects[KEY] == ARCHIVE.content


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_at_any_store_call_leaves_nothing_that_is_found_half(
    moment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = World()
    publish(whole.place("dev"), ARCHIVE, record())
    points = len(whole.store.calls)
    for point in range(points):
        world, count = World(), iter(range(100))

        def crash(call: str, point: int = point, count: object = count) -> None:
            if next(count) == point:
                raise KeyboardInterrupt(call)

        setattr(world.store, moment, crash)
        with pytest.raises(KeyboardInterrupt):
            publish(world.place("dev"), ARCHIVE, record())
        setattr(world.store, moment, lambda call: None)
        with suppress(DeliveryError):  # not found, or found with its archive
            published_from(world.place("dev"), "digits", "1" * 40)
            assert world.store.objects[KEY] == ARCHIVE.content
        publish(world.place("dev"), ARCHIVE, record())
        assert world.store.objects == whole.store.objects
    with capsys.disabled():
        sys.stdout.write(f"\npublish: crash {moment} each of {points} store calls\n")


def test_every_model_that_is_not_trained_is_named(world: World) -> None:
    world.train("a" * 16, 0.9)
    with pytest.raises(DeliveryError, match=r"model 'x': version b+ is not trained in dev; model 'y'.*windlass train"):
        require_trained(world.place("dev"), {"digits": "a" * 16, "x": "b" * 16, "y": "c" * 16})
