"""Judging is pure: soak, freezes by the clocks of zones, overrides, and policies that cannot be read."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from tests.gate.evidence import GATE, NOON, decided, texts
from windlass.delivery.gate.policy import read_policy
from windlass.spec.errors import DeliveryError
from windlass.spec.evidence import Frozen, Override, Verified
from windlass.spec.freeze import FreezeAgain, FreezeOnce

OVERRIDE = GATE + "  override: {people: 2, roles: [manager, developer], for: 4 hours}\n"


@pytest.mark.parametrize(
    ("happened", "stands"),
    [
        ("approval bob", True),
        ("push ann,approval bob", True),
        ("approval bob,push ann", False),
        ("approval bob,push ann,approval bob", True),
        ("approval bob,withdrawal bob", False),
        ("approval bob,withdrawal eve", True),
        ("approval ann", False),
        ("approval Ann", False),
        ("push BOB,approval bob", False),
        ("withdrawal bob,approval bob", True),
    ],
)
def test_the_events_of_a_merge_request_are_replayed_in_their_order(happened: str, *, stands: bool) -> None:
    assert decided(GATE, *happened.split(",")).passed is stands


def test_events_count_in_the_order_of_their_notes_and_not_of_the_document() -> None:
    from tests.gate.evidence import events, evidence

    review = evidence().merge_requests[0].model_copy(update={"events": events("approval bob", "push ann")[::-1]})
    assert not decided(GATE, merge_requests=[review.model_dump()]).passed


def test_all_refusals_come_at_once_each_one_sentence() -> None:
    gate = GATE + "  roles: {manager: 1}\n  tag: {roles: [developer]}\n  soak: 2 hours\n"
    decision = decided(gate, "push ann", frozen=Frozen(reason="fire", actor="eve", at=NOON), is_merged=False)
    assert len(decision.refusals) == 6
    assert all(re.fullmatch(r"[^\n]+[^.\n]", one) for one in decision.refusals)


@pytest.mark.parametrize(
    ("result", "since", "why"),
    [
        ("pass", "2026-11-22T10:00:00Z", None),
        ("pass", "2026-11-22T10:00:01Z", "it may come at 2026-11-22 12:00:01 UTC"),
        ("pass", "2026-11-23T10:00:00Z", "has passed in dev since 2026-11-23 10:00 UTC only"),
        ("fail", None, "was not verified in dev"),
        (None, None, "was not verified in dev"),
    ],
)
def test_a_release_soaks_in_the_environment_before(result: str | None, since: str | None, why: str | None) -> None:
    verified = Verified(environment="dev", result=result, since=since)
    refusals = decided(GATE + "  soak: 2 hours\n", verified=verified).refusals
    assert (why or "") in "".join(refusals)
    assert bool(refusals) is bool(why)


def once(begin: str, end: str, timezone: str = "Europe/Berlin") -> FreezeOnce:
    return FreezeOnce.model_validate({"from": begin, "to": end, "timezone": timezone, "reason": "x"})


def again(cron: str, length: str, timezone: str = "Europe/Berlin") -> FreezeAgain:
    return FreezeAgain.model_validate({"cron": cron, "for": length, "timezone": timezone, "reason": "x"})


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        (
            once("2026-12-20 18:00", "2027-01-02 08:00"),
            "2026-12-20T17:00 2027-01-02T06:59",
            "2026-12-20T16:59 2027-01-02T07:00",
        ),
        (once("2026-07-01 18:00", "2026-07-01 19:00"), "2026-07-01T16:00", "2026-07-01T17:00 2026-07-01T15:59"),
        (  # 02:30 comes twice on 25 October: from the first to the second
            once("2026-10-25 02:30", "2026-10-25 02:31"),
            "2026-10-25T00:30 2026-10-25T01:30",
            "2026-10-25T00:29 2026-10-25T01:31",
        ),
        (  # 02:30 never comes on 29 March: from before the gap until after it
            once("2026-03-29 02:30", "2026-03-29 02:31"),
            "2026-03-29T00:30 2026-03-29T01:30",
            "2026-03-29T00:29 2026-03-29T01:31",
        ),
        (  # Fridays 14:00 for 64 hours: until Monday 06:00
            again("0 14 * * 5", "64 hours"),
            "2026-11-20T13:00 2026-11-22T12:00 2026-11-23T04:59",
            "2026-11-20T12:59 2026-11-23T05:00",
        ),
        (  # over the end of summer time the hours are counted, not the clock
            again("0 14 * * 5", "64 hours"),
            "2026-10-23T12:00 2026-10-26T03:59",
            "2026-10-26T04:00 2026-10-23T11:59",
        ),
        (
            again("0 0 1 1 *", "30 days", "UTC"),
            "2026-01-01T00:00 2026-01-30T23:59",
            "2026-01-31T00:00 2025-12-31T23:59",
        ),
        (
            again("*/10 * * * *", "5 minutes", "Asia/Kolkata"),
            "2026-01-01T00:00 2026-01-01T00:14",
            "2026-01-01T00:05 2026-01-01T00:19",
        ),
    ],
)
def test_a_freeze_window_is_by_the_clock_of_its_zone(
    window: FreezeOnce | FreezeAgain, inside: str, outside: str
) -> None:
    assert [at for at in inside.split() if window.until(utc(at)) is None] == []
    assert [at for at in outside.split() if window.until(utc(at)) is not None] == []


def test_a_freeze_that_comes_again_agrees_with_counting_every_minute() -> None:
    window, begin = again("15 2,14 28-31 * 0", "20 hours", "America/New_York"), utc("2026-10-28T00:00")
    local = [begin + timedelta(minutes=minute) for minute in range(0, 9 * 1440, 15)]
    from zoneinfo import ZoneInfo

    zone = ZoneInfo("America/New_York")

    def fires(moment: datetime) -> bool:
        at = moment.astimezone(zone)
        return (at.minute, at.hour) in ((15, 2), (15, 14)) and (at.day >= 28 or at.isoweekday() == 7)

    started = [moment for moment in local if fires(moment)]
    for moment in local[200:]:
        expected = any(start <= moment < start + timedelta(hours=20) for start in started)
        assert (window.until(moment) is not None) is expected, moment


def test_a_frozen_environment_and_a_window_refuse_and_say_until_when() -> None:
    window = "  freeze: [{from: 2026-11-22 08:00, to: 2026-11-22 18:00, timezone: Europe/Berlin, reason: sale}]\n"
    told = decided(GATE + window, frozen=Frozen(reason="fire", actor="eve", at=NOON)).refusals
    assert told == (
        "prod is frozen until 2026-11-22 17:00 UTC: sale; wait, or windlass override",
        "prod was frozen by eve at 2026-11-22 12:00 UTC: fire; windlass unfreeze prod, or windlass override",
    )


def word(person: str, at: str = "2026-11-22T11:00:00Z", **more: str) -> Override:
    usual = {
        "environment": "prod",
        "project": "digits",
        "release": "f" * 64,
        "person": person,
        "reason": "fire",
        "at": at,
    }
    return Override.model_validate(usual | more)


@pytest.mark.parametrize(
    ("overrides", "passes"),
    [
        ([], False),
        ([word("mia")], False),
        ([word("mia"), word("MIA")], False),
        ([word("mia"), word("bob")], False),
        ([word("mia"), word("dev")], True),
        ([word("mia"), word("dev", "2026-11-22T08:00:00Z")], False),
        ([word("mia"), word("dev", "2026-11-22T08:00:01Z")], True),
        ([word("mia"), word("dev", "2026-11-22T12:04:00Z")], True),
        ([word("mia"), word("dev", "2026-11-22T12:06:00Z")], False),
        ([word("mia"), word("dev", release="e" * 64)], False),
        ([word("mia"), word("dev", environment="dev")], False),
        ([word("mia"), word("dev", project="letters")], False),
    ],
)
def test_two_people_of_the_right_roles_override_for_a_while_and_one_release(
    overrides: list[Override], *, passes: bool
) -> None:
    decision = decided(OVERRIDE, "push ann", overrides=[one.model_dump() for one in overrides])
    assert decision.passed is passes
    assert bool(decision.overridden) is passes


def test_nobody_overrides_where_the_gate_names_nobody() -> None:
    overrides = [word("mia").model_dump(), word("dev").model_dump()]
    assert not decided(GATE, "push ann", overrides=overrides).passed


@pytest.mark.parametrize("what", ["is_merged", "tag", "policy", "differs"])
def test_what_nobody_can_override(what: str) -> None:
    gate = OVERRIDE + ("  tag: {protected: true}\n" if what == "tag" else "")
    more = {"is_merged": {"is_merged": False}, "differs": {"differs": ["upstream"]}}.get(what, {})
    decision = decided(gate, overrides=[word("mia").model_dump(), word("dev").model_dump()], **more)
    assert decision.passed is (what == "policy")


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"gate": "gate: {approvals: many}\n"}, "approvals must be a whole number"),
        ({"gate": "gate: {roles: {boss: 1}}\n"}, "there is no role 'boss'"),
        ({"roles": "manager: {}\n"}, "nobody could hold this role"),
        ({"owners": "/models/ @@boss\n"}, "there is no role 'boss'"),
        ({"owners": "/models/ nobody\n"}, "'nobody' is no owner"),
        ({"gate": "gate: [\n"}, "prod.yml"),
    ],
)
def test_a_policy_that_is_wrong_lets_nobody_pass(wrong: dict[str, str], why: str) -> None:
    with pytest.raises(DeliveryError, match=re.escape(why)):
        read_policy(texts(**wrong), "prod")


def test_an_environment_that_the_branch_does_not_have_is_no_way_around() -> None:
    with pytest.raises(DeliveryError, match=r"main of platform/windlass has no environments/live\.yml"):
        read_policy(texts(), "live")


def test_a_gate_that_says_nothing_at_all_is_no_gate_that_was_taken_away() -> None:
    with pytest.raises(
        DeliveryError, match=r"an empty gate asks for nothing; write \{\} for one approval, or take the key out"
    ):
        read_policy(texts("gate:\n  # approvals: 2\n"), "prod")


def test_what_is_critical_is_not_spared_the_roles_of_the_rest() -> None:
    gate = "gate: {approvals: 1, roles: {manager: 1}, critical: {approvals: 2}}\n"
    with pytest.raises(DeliveryError, match="critical asks for no role, and the rest does"):
        read_policy(texts(gate), "prod")


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC"])
def test_a_freeze_for_ever_is_one(zone: str) -> None:
    window = FreezeOnce.model_validate(
        {"from": "0001-01-01 00:00", "to": "9999-12-31 23:59", "timezone": zone, "reason": "sold"}
    )
    end = window.until(datetime(2026, 11, 22, tzinfo=UTC))
    assert end is not None
    assert end.year == 9999
