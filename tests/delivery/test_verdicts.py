"""Verdicts: the newest decisive one counts, none gets lost, and the next environment asks for it."""

import pytest

from tests.delivery.conftest import World
from windlass.delivery.release.archive import Archive
from windlass.delivery.verification.verdicts import KEPT, load_verdicts, record_verdict
from windlass.spec.errors import DeliveryError
from windlass.spec.verdict import Result, Verdict, verdicts_key

ONE, TWO = "1" * 40, "2" * 40


def said(result: Result, minute: int, reason: str | None = None) -> Verdict:
    return Verdict(
        result=result, state="1-0123456789ab", reason=reason, at=f"2026-11-22T{10 + minute // 60}:{minute % 60:02}:00Z"
    )


def record(world: World, archive: Archive, *verdicts: Verdict) -> Verdict | None:
    for verdict in verdicts:
        record_verdict(world.place("dev"), "digits", archive.digest, verdict)
    return load_verdicts(world.place("dev"), "digits", archive.digest).decisive


@pytest.fixture
def archive(world: World) -> Archive:
    made = world.publish(ONE, {"read": "one"})
    world.promote(made, ONE, "dev")
    return made


def test_a_release_without_a_verdict_does_not_rise(world: World, archive: Archive) -> None:
    with pytest.raises(DeliveryError, match=r"was not verified in dev yet; run windlass verify dev"):
        world.promote(archive, ONE, "stage", gated=True)
    record(world, archive, said("pass", 0))
    assert world.promote(archive, ONE, "stage", gated=True).changed


def test_a_later_fail_takes_the_gate_away_and_a_later_pass_gives_it_back(world: World, archive: Archive) -> None:
    record(world, archive, said("pass", 0), said("fail", 1, "KeyError"))
    with pytest.raises(DeliveryError, match="of digits failed in dev at 2026-11-22 10:01: KeyError"):
        world.promote(archive, ONE, "stage", gated=True)
    record(world, archive, said("pass", 2))
    assert world.promote(archive, ONE, "stage", gated=True).changed


def test_an_inconclusive_verdict_neither_gives_nor_takes(world: World, archive: Archive) -> None:
    away = said("inconclusive", 1, "Airflow is away")
    record(world, archive, away)
    with pytest.raises(DeliveryError, match="was inconclusive in dev at 2026-11-22 10:01: Airflow is away"):
        world.promote(archive, ONE, "stage", gated=True)
    assert record(world, archive, said("pass", 2), said("inconclusive", 3)) == said("pass", 2)
    assert record(world, archive, said("fail", 4), said("inconclusive", 5)) == said("fail", 4)


def test_what_is_live_already_needs_no_verdict(world: World, archive: Archive) -> None:
    record(world, archive, said("pass", 0))
    world.promote(archive, ONE, "stage", gated=True)
    record(world, archive, said("fail", 1))
    assert not world.promote(archive, ONE, "stage", gated=True).changed


def test_a_verdict_is_about_one_release_in_one_environment(world: World, archive: Archive) -> None:
    record(world, archive, said("pass", 0))
    other = world.publish(TWO, {"read": "two"})
    assert load_verdicts(world.place("dev"), "digits", other.digest).decisive is None
    assert load_verdicts(world.place("stage"), "digits", archive.digest).decisive is None
    key, other_key = (verdicts_key("dev", "digits", one.digest) for one in (archive, other))
    world.store.objects[other_key] = world.store.objects[key]
    with pytest.raises(DeliveryError, match="was altered: it is about release"):
        load_verdicts(world.place("dev"), "digits", other.digest)


def test_of_two_verifications_that_end_at_once_both_are_kept_and_the_later_counts(
    world: World, archive: Archive
) -> None:
    def interfere(call: str) -> None:
        if call.startswith("put dev/verdicts/"):
            world.store.before = lambda call: None
            record(world, archive, said("fail", 9))

    world.store.before = interfere
    assert record(world, archive, said("pass", 8)) == said("fail", 9)
    kept = load_verdicts(world.place("dev"), "digits", archive.digest).verdicts
    assert [verdict.result for verdict in kept] == ["fail", "pass"]


def test_a_fail_from_a_machine_whose_clock_is_slow_takes_the_gate_away_too(world: World, archive: Archive) -> None:
    assert record(world, archive, said("pass", 30), said("fail", 0)) == said("fail", 0)


def test_the_same_verdict_again_is_recorded_once(world: World, archive: Archive) -> None:
    record(world, archive, said("pass", 0), said("pass", 0))
    assert len(load_verdicts(world.place("dev"), "digits", archive.digest).verdicts) == 1


def test_however_many_follow_the_verdict_that_counts_is_kept(world: World, archive: Archive) -> None:
    many = [said("inconclusive", minute) for minute in range(1, KEPT + 10)]
    assert record(world, archive, said("pass", 0), *many) == said("pass", 0)
    assert len(load_verdicts(world.place("dev"), "digits", archive.digest).verdicts) == KEPT
