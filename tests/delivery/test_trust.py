"""An environment with signers takes what one of them signed, and nothing else, by promotion or by rollback."""

import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.delivery.conftest import settings
from tests.delivery.test_judge import BACK, FollowingAirflow
from tests.delivery.test_perform import Killed
from tests.fakes.releases import make_release
from tests.fakes.signing import ANN, CI, MALLORY, TRUSTED, SigningWorld
from windlass.delivery.history.states import load_current
from windlass.delivery.plain.lay_out import lay_out
from windlass.delivery.plan.plan import Origin
from windlass.delivery.promotion.go_back import go_back
from windlass.delivery.promotion.holds import set_hold
from windlass.delivery.promotion.perform import Author, perform
from windlass.delivery.promotion.survey import deciding_promotion, plan_now
from windlass.delivery.release.archive import Archive, read_archive
from windlass.delivery.release.find import lived, state_meant
from windlass.delivery.release.provenance import keep_provenance, list_provenance
from windlass.delivery.release.publish import bound_models, kept_record, publish, sign_kept
from windlass.delivery.release.signature import sign
from windlass.spec.errors import DeliveryError, TransientError
from windlass.spec.model import model_key
from windlass.spec.release import Provenance, release_key

ONE, TWO = "1" * 40, "2" * 40
OLD, NEW = "a" * 16, "b" * 16


@pytest.fixture
def world() -> SigningWorld:
    return SigningWorld()


def refused(
    world: SigningWorld, archive: Archive, commit: str = ONE, message: str = "stays as it is", **kind: str
) -> str:
    """The refusal of a promotion to stage, which wrote nothing there."""
    before = {key: value for key, value in world.store.objects.items() if key.startswith("stage/")}
    world.store.calls.clear()
    with pytest.raises(DeliveryError, match=message) as stopped:
        world.promote(archive, commit, "stage", **kind)
    assert {key: value for key, value in world.store.objects.items() if key.startswith("stage/")} == before
    assert not [call for call in world.store.calls if call.startswith(("put", "copy", "delete"))]
    return str(stopped.value)


def test_a_signed_release_rises_with_its_record_and_an_unsigned_one_does_not(world: SigningWorld) -> None:
    plain = world.publish(ONE, {"read": "one"})
    message = refused(world, plain)
    assert message == (
        f"stage stays as it is: release {plain.digest[:12]} of digits (commit 111111111111) is not signed; "
        "stage takes only what ci signed: sign it with windlass sign dev --project digits "
        f"--release {plain.digest[:12]} --commit 111111111111"
    )
    world.promote(plain, ONE, "dev")
    world.sign(plain, ONE)
    world.promote(plain, ONE, "stage")
    records = [world.store.objects[world.record_key(plain, ONE, place)] for place in ("dev", "stage")]
    assert records[0] == records[1]


def test_the_plan_says_so_before_anybody_promotes(world: SigningWorld) -> None:
    archive = world.publish(ONE, {"read": "one"})
    release = read_archive("digits", archive.digest, archive.content)
    places = world.place("dev"), world.place("stage")
    plan = plan_now(places[1], deciding_promotion(*places, settings("stage"), release, Origin(ONE)))
    assert any("is not signed; stage takes only what ci signed" in line for line in plan.refusals)
    merge = deciding_promotion(*places, settings("stage"), release, Origin(ONE), trained=False)
    assert plan_now(places[1], merge).refusals == (), "what was not published yet cannot be signed"


def test_a_stranger_a_forger_and_a_swapped_record_are_refused_before_anything_is_written(world: SigningWorld) -> None:
    strange = world.signed(ONE, {"read": "one"}, by=MALLORY)
    assert "is signed by an unknown key, ed25519:" in refused(world, strange)

    good, other = world.signed(ONE, {"read": "two"}), world.signed(TWO, {"read": "three"})
    keys = [world.record_key(good, ONE), world.record_key(other, TWO)]
    honest = dict(world.store.objects)
    world.store.objects |= {keys[0]: honest[keys[1]], keys[1]: honest[keys[0]]}
    assert "it is about release" in refused(world, good)
    assert "it is about release" in refused(world, other, TWO)

    theirs = world.signed(ONE, {"sort": "abc"}, project="letters")
    world.store.objects[keys[0]] = honest[keys[0]].replace(
        honest[keys[0]][-200:], world.store.objects[world.record_key(theirs, ONE, project="letters")][-200:]
    )
    refused(world, good)

    world.store.objects[keys[0]] = honest[keys[0]].replace(b'"tag": null', b'"tag": "v9"')
    assert "the signature of ci does not fit it" in refused(world, good)
    del world.store.objects[keys[0]]
    assert "has no record in dev" in refused(world, good)
    world.store.objects[keys[0]] = honest[keys[0]]
    world.promote(good, ONE, "stage")


def test_another_archive_under_a_signed_name_is_refused(world: SigningWorld) -> None:
    good = world.signed(ONE, {"read": "one"})
    release = read_archive("digits", good.digest, good.content)
    world.store.objects[release_key("dev", "digits", good.digest)] = make_release("digits", {"read": "evil"}).content
    places = world.place("dev"), world.place("stage")
    with pytest.raises(DeliveryError, match="altered: its SHA-256"):
        world.promote(good, ONE, "stage")
    assert release_key("stage", "digits", good.digest) not in world.store.objects
    assert plan_now(places[1], deciding_promotion(*places, settings("stage"), release, Origin(ONE))).refusals == ()


def test_a_flipped_bit_in_any_byte_of_the_archive_is_refused(world: SigningWorld) -> None:
    good = world.signed(ONE, {"read": "one"})
    key = release_key("dev", "digits", good.digest)
    for position in range(len(good.content)):
        flipped = bytes([good.content[position] ^ (1 << position % 8)])
        altered = good.content[:position] + flipped + good.content[position + 1 :]
        with pytest.raises(DeliveryError, match="altered"):
            read_archive("digits", good.digest, altered)
        if position % 40 == 0:
            world.store.objects[key] = altered
            with pytest.raises(DeliveryError, match="altered"):
                world.promote(good, ONE, "stage")
            assert load_current(world.store, "stage").state is None


def test_an_environment_without_signers_takes_everything_that_is_not_damaged(world: SigningWorld) -> None:
    world.signers.clear()
    for archive, commit in ((world.publish(ONE, {"read": "one"}), ONE), (world.signed(TWO, {"r": "2"}, by=ANN), TWO)):
        world.promote(archive, commit, "stage")
        copies = [world.store.objects[world.record_key(archive, commit, place)] for place in ("dev", "stage")]
        assert copies[0] == copies[1], "a signature travels also where nobody asks for it"


@pytest.mark.parametrize("is_signed", [True, False])
def test_a_model_whose_description_was_exchanged_is_refused_signed_or_not(world: SigningWorld, is_signed: bool) -> None:
    world.train(OLD, 0.95)
    archive = world.publish(ONE, {"read": "one"}, {"digits": OLD})
    if is_signed:
        world.sign(archive, ONE)
    else:
        world.signers.clear()
        bind(world, archive)
    key = model_key("dev", "digits", OLD)
    good, world.store.objects[key] = world.store.objects[key], world.store.objects[key].replace(b"0.95", b"0.99")
    assert "model 'digits' is not the one that release" in refused(world, archive)
    world.store.objects[key] = good
    state = world.promote(archive, ONE, "stage").state
    assert state.projects["digits"].models == {"digits": OLD}

    elsewhere = model_key("stage", "digits", OLD)
    world.store.objects[elsewhere] = world.store.objects[elsewhere].replace(b"0.95", b"0.99")
    with pytest.raises(DeliveryError, match="has another SHA-256; restore it"):
        world.rollback(state.projects["digits"], "stage")


def bind(world: SigningWorld, archive: Archive) -> None:
    """What windlass release writes of models, without a signature."""
    (record,) = list_provenance(world.place("dev"), "digits", digest=archive.digest)
    models = bound_models(world.place("dev"), {"digits": OLD})
    keep_provenance(world.place("dev"), record.model_copy(update={"models": models}))


def test_a_signed_record_that_is_silent_about_a_model_is_refused(world: SigningWorld) -> None:
    world.train(OLD, 0.95)
    archive = world.publish(ONE, {"read": "one"}, {"digits": OLD})
    (record,) = list_provenance(world.place("dev"), "digits")
    world.store.objects[world.record_key(archive, ONE)] = sign(record, CI).to_json()
    assert "its record does not name it" in refused(world, archive)


def before_and_after(world: SigningWorld) -> tuple[Archive, Archive]:
    """An unsigned release that was live before stage had signers, and a signed one that is live now."""
    signers = world.signers.pop("stage")
    old = world.publish(ONE, {"read": "one"})
    world.promote(old, ONE, "stage", tag="v1")
    world.signers["stage"] = signers
    new = world.signed(TWO, {"read": "two"})
    world.promote(new, TWO, "stage", tag="v2")
    return old, new


def test_a_rollback_to_a_release_from_before_says_how_to_sign_it_and_then_goes(world: SigningWorld) -> None:
    old, _ = before_and_after(world)
    earlier = lived(world.place("stage"), "digits", "previous")
    with pytest.raises(DeliveryError, match=r"is not signed; .* sign it with windlass sign stage --project digits"):
        world.rollback(earlier, "stage")
    assert world.live().projects["digits"].tag == "v2"
    world.sign(old, ONE, place="stage")
    assert world.rollback(earlier, "stage").state.projects["digits"].tag == "v1"


def test_the_whole_environment_goes_back_to_nothing_unsigned(world: SigningWorld) -> None:
    old, _ = before_and_after(world)
    place = world.place("stage")
    world.store.calls.clear()
    with pytest.raises(DeliveryError, match=r"stage stays as it is: release .* is not signed"):
        go_back(place, state_meant(place, "1"), Author(actor="ann"), clock=world.clock)
    assert not [call for call in world.store.calls if call.startswith("put")]
    world.sign(old, ONE, place="stage")
    assert go_back(place, state_meant(place, "1"), Author(actor="ann"), clock=world.clock)[1].changed


def test_an_automatic_rollback_stays_where_the_earlier_release_is_not_signed(world: SigningWorld) -> None:
    _, new = before_and_after(world)
    airflow = FollowingAirflow(store=world.store)
    airflow.broken.add(new.digest)
    conclusion = world.conclude(airflow, world.live(), BACK)
    assert conclusion.back is None
    assert "is not signed; stage takes only what ci signed" in (conclusion.stays_because or "")
    assert world.live().projects["digits"].tag == "v2"


def test_a_hold_needs_no_signature(world: SigningWorld) -> None:
    world.signers.clear()
    world.promote(world.publish(ONE, {"read": "one"}), ONE, "stage")
    world.signers["stage"] = TRUSTED
    assert set_hold(world.place("stage"), settings("stage"), "digits", None, Author(reason="closing")).changed


def test_a_release_that_is_live_already_brings_its_signature_later(world: SigningWorld) -> None:
    signers = world.signers.pop("stage")
    archive = world.publish(ONE, {"read": "one"})
    world.promote(archive, ONE, "stage")
    world.signers["stage"] = signers
    refused(world, archive, message="is not signed")
    world.sign(archive, ONE)
    again = world.promote(archive, ONE, "stage")
    assert not again.changed
    assert b"signature" in world.store.objects[world.record_key(archive, ONE, "stage")]


def test_a_release_that_was_signed_in_the_target_itself_may_be_promoted_and_keeps_that_signature(
    world: SigningWorld,
) -> None:
    old, _ = before_and_after(world)
    signed = world.sign(old, ONE, place="stage")
    assert world.promote(old, ONE, "stage", tag="v1").changed
    assert world.store.objects[world.record_key(old, ONE, "stage")] == signed.to_json()


def test_a_signature_that_lies_in_the_target_is_not_lost_where_nobody_asks_for_one(world: SigningWorld) -> None:
    world.signers.clear()
    archive = world.publish(ONE, {"read": "one"})
    world.promote(archive, ONE, "stage")
    signed = world.sign(archive, ONE, place="stage")
    world.promote(world.publish(TWO, {"read": "two"}), TWO, "stage")
    world.promote(archive, ONE, "stage")
    assert world.store.objects[world.record_key(archive, ONE, "stage")] == signed.to_json()


def test_while_keys_rotate_both_are_taken_and_what_the_old_one_signed_can_be_signed_again(world: SigningWorld) -> None:
    world.signers["stage"] = {"ci": CI.public, "ann": ANN.public}
    first, second = world.signed(ONE, {"read": "one"}), world.signed(TWO, {"read": "two"}, by=ANN)
    world.promote(first, ONE, "stage")
    world.promote(second, TWO, "stage")
    world.signers["stage"] = {"ann": ANN.public}
    earlier = lived(world.place("stage"), "digits", "previous")
    with pytest.raises(DeliveryError, match="is signed by an unknown key"):
        world.rollback(earlier, "stage")
    world.sign(first, ONE, ANN, place="stage")
    assert world.rollback(earlier, "stage").changed


def test_a_record_that_is_swapped_between_plan_and_copy_is_not_carried_over(world: SigningWorld) -> None:
    archive = world.signed(ONE, {"read": "one"})

    def interfere(call: str) -> None:
        if call.startswith("put stage/.preconditions"):
            key = world.record_key(archive, ONE)
            world.store.objects[key] = world.store.objects[key].replace(b'"tool_version": "0"', b'"tool_version": "1"')

    world.store.before = interfere
    with pytest.raises(DeliveryError, match="the signature of ci does not fit it"):
        world.promote(archive, ONE, "stage")
    assert load_current(world.store, "stage").state is None
    assert world.record_key(archive, ONE, "stage") not in world.store.objects


RECORD = Provenance(
    project="digits", release="d" * 64, commit=ONE, built_at="2026-11-22T09:30:00Z", tool_version="0", tag="v1"
)
LATER = RECORD.model_copy(update={"built_at": "2026-11-23T09:30:00Z"})
RETRAINED = LATER.model_copy(update={"models": {"digits": "e" * 64}})
ALTERED = sign(RECORD, CI).model_copy(update={"tag": "v2"})


@pytest.mark.parametrize(
    ("there", "new", "is_written"),
    [
        (RECORD, RECORD, False),
        (RECORD, LATER, False),
        (RECORD, RETRAINED, True),
        (RECORD, sign(LATER, CI), True),
        (sign(RECORD, CI), LATER, False),
        (sign(RECORD, CI), sign(LATER, CI), False),
        (sign(RECORD, CI), sign(RETRAINED, CI), True),
        (sign(RECORD, CI), sign(LATER, ANN), True),
        (ALTERED, LATER, True),
        (ALTERED, sign(LATER, CI), True),
    ],
)
def test_a_new_record_replaces_another_one_only_when_it_is_better(
    world: SigningWorld, there: Provenance, new: Provenance, is_written: bool
) -> None:
    place = world.place("dev")
    assert keep_provenance(place, there)
    assert keep_provenance(place, new) == is_written
    assert list_provenance(place, "digits") == [new if is_written else there]
    assert not keep_provenance(place, new), "and the same again changes nothing"


def test_a_signature_is_never_replaced_by_nothing(world: SigningWorld) -> None:
    keep_provenance(world.place("dev"), sign(RECORD, CI))
    with pytest.raises(DeliveryError, match="is signed, and a model was trained again since: windlass release needs"):
        keep_provenance(world.place("dev"), RETRAINED)


def test_a_record_that_was_damaged_where_it_lies_is_written_again(world: SigningWorld) -> None:
    keep_provenance(world.place("dev"), RECORD)
    (key,) = world.store.objects
    world.store.objects[key] = b"damaged"
    assert keep_provenance(world.place("dev"), RECORD)
    assert world.store.objects[key] == RECORD.to_json()


def test_two_who_write_a_record_at_once_do_not_undo_each_other(world: SigningWorld) -> None:
    keep_provenance(world.place("dev"), RECORD)

    def interfere(call: str) -> None:
        if call.startswith("get dev/provenance"):
            world.store.after = lambda call: None
            keep_provenance(world.place("dev"), sign(LATER, ANN))

    world.store.after = interfere
    with pytest.raises(TransientError, match="was written by somebody else meanwhile; try again"):
        keep_provenance(world.place("dev"), sign(LATER, CI))
    assert list_provenance(world.place("dev"), "digits") == [sign(LATER, ANN)]


def test_nothing_that_was_altered_gets_signed(world: SigningWorld) -> None:
    world.train(OLD, 0.95)
    archive = world.signed(ONE, {"read": "one"}, {"digits": OLD})
    place, record = world.place("dev"), kept_record(world.place("dev"), "digits", archive.digest)
    honest = dict(world.store.objects)
    for key, old, new, message in (
        (world.record_key(archive, ONE), b'"actor": null', b'"actor": "eve"', "was altered since it was signed"),
        (release_key("dev", "digits", archive.digest), archive.content, b"evil", "the archive was altered"),
        (model_key("dev", "digits", OLD), b"0.95", b"0.99", "names another model.json than dev has: digits"),
    ):
        world.store.objects[key] = honest[key].replace(old, new)
        assert world.store.objects[key] != honest[key]
        with pytest.raises(DeliveryError, match=message):
            sign_kept(place, record, ANN)
        world.store.objects = dict(honest)
    del world.store.objects[model_key("dev", "digits", OLD)]
    with pytest.raises(DeliveryError, match=r"dev does not have model 'digits', version a+; run windlass train"):
        sign_kept(place, record, ANN)


def test_what_is_to_be_signed_must_be_one_record(world: SigningWorld) -> None:
    place = world.place("dev")
    with pytest.raises(DeliveryError, match="nothing of digits is live in dev; give --release or --commit"):
        kept_record(place, "digits")
    archive = world.publish(ONE, {"read": "one"})
    world.publish(TWO, {"read": "one"})
    with pytest.raises(DeliveryError, match=r"stands for 2 records of digits: .* give --release and --commit"):
        kept_record(place, "digits", archive.digest[:8])
    with pytest.raises(DeliveryError, match="there is no record of digits with release ffffffff in dev"):
        kept_record(place, "digits", "f" * 8)
    world.promote(archive, TWO, "dev")
    assert kept_record(place, "digits").commit == TWO
    assert kept_record(place, "digits", archive.digest[:8], "1111111").commit == ONE


Step = Callable[[SigningWorld], object]
ARCHIVE = make_release("digits", {"read": "one"})
UNSIGNED = RECORD.model_copy(update={"release": ARCHIVE.digest})


def promoted(world: SigningWorld) -> None:
    world.promote(ARCHIVE, ONE, "stage")


def published(world: SigningWorld) -> None:
    publish(world.place("dev"), ARCHIVE, sign(UNSIGNED, CI))


def signed_later(world: SigningWorld) -> None:
    sign_kept(world.place("dev"), UNSIGNED, CI)


def nothing(world: SigningWorld) -> None:
    """Before the first publication."""


def published_without(world: SigningWorld) -> None:
    publish(world.place("dev"), ARCHIVE, UNSIGNED)


def live_unsigned(world: SigningWorld) -> None:
    published_without(world)
    signers = world.signers.pop("stage")
    promoted(world)
    world.signers["stage"] = signers
    signed_later(world)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize(
    ("prepare", "step"),
    [
        (nothing, published),
        (published_without, published),
        (published_without, signed_later),
        (published, promoted),
        (live_unsigned, promoted),
    ],
)
def test_after_a_crash_at_any_store_call_the_same_command_finishes_and_no_half_record_is_seen(
    prepare: Step, step: Step, moment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def prepared() -> SigningWorld:
        world = SigningWorld()
        prepare(world)
        world.store.calls.clear()
        return world

    whole = prepared()
    before = dict(whole.store.objects)
    step(whole)
    points = len(whole.store.calls)
    reached = 0
    for point in range(points):
        world, count = prepared(), iter(range(points + 1))

        def crash(call: str, point: int = point, count: object = count) -> None:
            if next(count) == point:
                raise Killed(call)

        setattr(world.store, moment, crash)
        with pytest.raises(Killed):
            step(world)
        setattr(world.store, moment, lambda call: None)
        reached += 1
        for key, content in world.store.objects.items():
            assert content in (before.get(key), whole.store.objects.get(key)), f"point {point}: {key}"
        step(world)
        assert world.store.objects == whole.store.objects, f"point {point}"
    assert reached == points > 0
    with capsys.disabled():
        sys.stdout.write(f"\nsigning, {prepare.__name__} then {step.__name__}: crash {moment} each of {points} calls\n")


def test_files_of_a_plain_environment_are_laid_out_of_what_is_trusted_only() -> None:
    """There is no bundle that would ask again, so the layout does, whatever a state says is live."""
    world = SigningWorld()
    place = replace(world.place("stage"), plain=True)
    archive = world.signed(ONE, {"read": "one"})
    release = read_archive("digits", archive.digest, archive.content)
    decide = deciding_promotion(world.place("dev"), place, settings("stage"), release, Origin(ONE))
    perform(decide, world.place("dev"), place, Author(actor="ann"), clock=world.clock)
    laid_out = {key for key in world.store.objects if key.startswith("stage/dags/digits/")}
    assert laid_out

    world.signers["stage"] = {"ann": ANN.public}
    place = replace(world.place("stage"), plain=True)
    world.store.objects.pop("stage/dags/digits/dags/read.py")
    with pytest.raises(DeliveryError, match="is signed by an unknown key"):
        lay_out(place, ["digits"], sleep=world.slept.append)
    assert "stage/dags/digits/dags/read.py" not in world.store.objects
    world.sign(archive, ONE, ANN, place="stage")
    lay_out(place, ["digits"], sleep=world.slept.append)
    assert laid_out == {key for key in world.store.objects if key.startswith("stage/dags/digits/")}
