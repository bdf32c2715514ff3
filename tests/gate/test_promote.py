"""A promotion with a gate: asked anew after a lost swap, kept before the swap, and whole after a crash anywhere."""

import sys
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.delivery.conftest import NOW, World, settings
from tests.gate.evidence import decided
from windlass.delivery.gate.decide import load_decision, replay
from windlass.delivery.gate.overrides import keep_override, load_overrides
from windlass.delivery.gate.question import Ask, Question
from windlass.delivery.history.ledger import read_history
from windlass.delivery.history.states import load_current
from windlass.delivery.plan.plan import Origin
from windlass.delivery.promotion.freeze import freeze, unfreeze
from windlass.delivery.promotion.go_back import go_back
from windlass.delivery.promotion.holds import set_hold
from windlass.delivery.promotion.perform import Author, Clock, Outcome, perform
from windlass.delivery.promotion.survey import deciding_promotion
from windlass.delivery.release.archive import Archive, read_archive
from windlass.delivery.release.find import lived, state_meant
from windlass.delivery.release.provenance import list_provenance
from windlass.spec.decision import Decision, decision_key
from windlass.spec.errors import DeliveryError, TransientError
from windlass.spec.evidence import Override
from windlass.spec.state import State

ONE, TWO = "1" * 40, "2" * 40
ANN = Author(actor="ann", reason="fire")


class Killed(BaseException):
    """The process ends here: nothing may catch it."""


def asked(questions: list[Question], approved: Callable[[], bool] = lambda: True) -> Ask:
    """A gate of prod that passes what is approved, and notes what it was asked."""

    def ask(question: Question) -> Decision:
        questions.append(question)
        happened = "approval bob" if approved() else "push ann"
        frozen = question.frozen.model_dump() if question.frozen else None
        return decided("gate: {}\n", happened, release=question.release, project=question.project, frozen=frozen)

    return ask


def promote(world: World, archive: Archive, commit: str, ask: Ask | None, *, gated: bool = False) -> Outcome:
    release = read_archive("digits", archive.digest, archive.content)
    places = world.place("dev"), world.place("prod")
    decide = deciding_promotion(*places, settings("prod"), release, Origin(commit, "v1"), gated=gated, ask=ask)
    return perform(decide, *places, Author(actor="dev"), clock=world.clock)


def state(world: World) -> State | None:
    return load_current(world.store, "prod").state


def test_the_decision_is_kept_before_the_swap_and_the_deployment_names_it(world: World) -> None:
    questions: list[Question] = []
    archive = world.publish(ONE, {"read": "one"})
    world.store.calls.clear()
    done = promote(world, archive, ONE, asked(questions))
    digest = done.state.deployment.gate
    assert digest is not None
    key = decision_key("prod", "digits", archive.digest, digest)
    writes = [call.removeprefix("put ") for call in world.store.calls if call.startswith("put ")]
    assert writes.index(key) < writes.index(f"prod/states/{done.state.name}.json") < writes.index("prod/state.json")
    assert replay(load_decision(world.place("prod"), key)).is_same
    assert [(one.live, one.tag, one.frozen) for one in questions] == [(None, "v1", None)]
    assert len(list_provenance(world.place("prod"), "digits")) == 1, "a decision is no provenance"
    assert read_history(world.store, "prod", check=True).faults == []


def test_a_refused_promotion_leaves_everything_as_it_was_and_says_why(world: World) -> None:
    archive = world.publish(ONE, {"read": "one"})
    with pytest.raises(DeliveryError, match="prod stays as it is: !7 by ann needs 1 approval after its last push"):
        promote(world, archive, ONE, asked([], lambda: False))
    assert state(world) is None
    assert not [key for key in world.store.objects if key.startswith("prod/provenance/")]


def test_a_promotion_that_lost_the_swap_asks_again_and_may_be_refused_then(world: World) -> None:
    questions: list[Question] = []
    approvals = [True]
    letters = world.publish(TWO, {"spell": "a"}, project="letters")

    def interfere(call: str) -> None:
        if call == "put prod/state.json":
            world.store.before = lambda call: None
            world.promote(letters, TWO, "prod", project="letters")
            approvals[0] = False

    world.store.before = interfere
    archive = world.publish(ONE, {"read": "one"})
    with pytest.raises(DeliveryError, match="prod stays as it is"):
        promote(world, archive, ONE, asked(questions, lambda: approvals[0]))
    assert len(questions) == 2
    found = state(world)
    assert found is not None
    assert list(found.projects) == ["letters"]


def test_what_is_live_already_needs_no_gate(world: World) -> None:
    archive = world.publish(ONE, {"read": "one"})
    promote(world, archive, ONE, asked([]))
    questions: list[Question] = []
    assert not promote(world, archive, ONE, asked(questions, lambda: False)).changed
    assert questions == []


def test_a_rollback_needs_no_gate_and_goes_on_while_frozen(world: World) -> None:
    promote(world, world.publish(ONE, {"read": "one"}), ONE, asked([]))
    promote(world, world.publish(TWO, {"read": "two"}), TWO, asked([]))
    freeze(world.place("prod"), settings("prod"), ANN, clock=world.clock)
    done = world.rollback(lived(world.place("prod"), "digits", "previous"), "prod")
    assert (done.state.projects["digits"].commit, done.state.deployment.gate) == (ONE, None)
    assert done.state.frozen is not None


def test_a_missing_verdict_is_told_once_by_the_gate_or_by_the_plan(world: World) -> None:
    archive = world.publish(ONE, {"read": "one"})

    def ask(question: Question) -> Decision:
        return decided("gate: {}\n", release=question.release, verified=question.verified)

    for gate in (ask, asked([])):
        with pytest.raises(DeliveryError) as refused:
            promote(world, archive, ONE, gate, gated=True)
        assert str(refused.value).count("verified in dev") == 1


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_at_any_call_leaves_old_or_new_and_the_same_command_finishes_it(
    moment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def prepared() -> tuple[World, Archive]:
        world = World()
        promote(world, world.publish(ONE, {"read": "one"}), ONE, asked([]))
        archive = world.publish(TWO, {"read": "two"})
        world.store.calls.clear()
        return world, archive

    whole, archive = prepared()
    promote(whole, archive, TWO, asked([]))
    points, outcomes = len(whole.store.calls), [0, 0]
    for point in range(points):
        world, archive = prepared()
        count = iter(range(points + 1))

        def crash(call: str, point: int = point, count: object = count) -> None:
            if next(count) == point:
                raise Killed(call)

        setattr(world.store, moment, crash)
        with pytest.raises(Killed):
            promote(world, archive, TWO, asked([]))
        setattr(world.store, moment, lambda call: None)
        live = state(world)
        assert live is not None
        is_new = live.projects["digits"].commit == TWO
        outcomes[is_new] += 1
        if is_new:
            assert_decided(world, live)
        promote(world, archive, TWO, asked([]))
        final = state(world)
        assert final is not None
        assert (final.serial, final.projects["digits"].commit) == (2, TWO), f"point {point}"
        assert_decided(world, final)
        assert read_history(world.store, "prod", check=True).faults == [], f"point {point}"
    assert all(outcomes)
    with capsys.disabled():
        sys.stdout.write(f"\ngate: crash {moment} each of {points} store calls: {outcomes}\n")


def assert_decided(world: World, live: State) -> None:
    release, digest = live.projects["digits"].release, live.deployment.gate
    assert digest is not None
    assert load_decision(world.place("prod"), decision_key("prod", "digits", release, digest)).passed


def test_a_gate_that_gives_no_answer_changes_nothing(world: World) -> None:
    def ask(question: Question) -> Decision:
        raise TransientError("GitLab project 42 does not answer; try again in a moment")

    archive = world.publish(ONE, {"read": "one"})
    before = dict(world.store.objects)
    with pytest.raises(TransientError):
        promote(world, archive, ONE, ask)
    assert {key: value for key, value in world.store.objects.items() if ".preconditions" not in key} == before


def test_a_frozen_environment_takes_nothing_of_any_project_without_a_gate_too(world: World) -> None:
    place = world.place("prod")
    archive = world.publish(ONE, {"read": "one"})
    first = freeze(place, settings("prod"), ANN, clock=world.clock)
    assert first.changed
    assert not freeze(place, settings("prod"), Author(actor="eve", reason="too"), clock=world.clock).changed
    for ask in (None, asked([])):
        with pytest.raises(DeliveryError, match=r"frozen .*by ann.*: fire; windlass unfreeze prod"):
            promote(world, archive, ONE, ask)
    set_hold(place, settings("prod"), "letters", None, ANN, clock=world.clock)
    live = state(world)
    assert live is not None
    assert live.frozen is not None, "a hold does not thaw it"
    assert unfreeze(place, ANN, clock=world.clock).changed
    assert not unfreeze(place, ANN, clock=world.clock).changed
    assert promote(world, archive, ONE, None).changed
    assert read_history(world.store, "prod", check=True).faults == []


def test_going_back_as_a_whole_does_not_thaw(world: World) -> None:
    place = world.place("prod")
    promote(world, world.publish(ONE, {"read": "one"}), ONE, None)
    promote(world, world.publish(TWO, {"read": "two"}), TWO, None)
    freeze(place, settings("prod"), ANN, clock=world.clock)
    go_back(place, state_meant(place, "1"), ANN, clock=world.clock)
    live = state(world)
    assert live is not None
    assert live.frozen is not None


def test_a_freeze_that_comes_between_question_and_swap_is_not_overtaken(world: World) -> None:
    archive = world.publish(ONE, {"read": "one"})

    def interfere(call: str) -> None:
        if call == "put prod/state.json":
            world.store.before = lambda call: None
            freeze(world.place("prod"), settings("prod"), ANN, clock=world.clock)

    for ask in (None, asked([])):
        world.store.before = interfere
        with pytest.raises(DeliveryError, match="frozen"):
            promote(world, archive, ONE, ask)


def test_states_without_gate_and_freeze_keep_their_bytes(world: World) -> None:
    done = promote(world, world.publish(ONE, {"read": "one"}), ONE, None)
    assert b"gate" not in done.state.to_json()
    assert b"frozen" not in done.state.to_json()


def test_overrides_are_kept_each_once_and_an_altered_one_is_refused(world: World) -> None:
    place = world.place("prod")
    words = [
        Override(
            environment="prod", project="digits", release="f" * 64, person=person, reason="fire", at=NOW.isoformat()
        )
        for person in ("mia", "dev")
    ]
    keys = [keep_override(place, one) for one in (*words, words[0])]
    assert len(set(keys)) == 2
    assert load_overrides(place, "digits", "f" * 64) == sorted(words, key=lambda one: one.person)
    assert load_overrides(place, "digits", "e" * 64) == []
    world.store.objects[keys[0]] = world.store.objects[keys[0]].replace(b"mia", b"eve")
    with pytest.raises(DeliveryError, match="was altered"):
        load_overrides(place, "digits", "f" * 64)


def test_what_is_said_while_a_large_model_is_on_its_way_is_heard(world: World) -> None:
    """Hours may be between the question and the swap, and nobody else's change then makes it be asked again."""
    now, approvals, questions = [NOW], [True], list[Question]()
    world.train("1" * 16, 0.95)
    archive = world.publish(ONE, {"read": "one"}, {"digits": "1" * 16})
    release = read_archive("digits", archive.digest, archive.content)
    places = world.place("dev"), world.place("prod")
    ask = asked(questions, lambda: approvals[0])
    decide = deciding_promotion(*places, settings("prod"), release, Origin(ONE, "v1"), ask=ask)
    clock = Clock(now=lambda: now[0], sleep=world.slept.append)

    def meanwhile(call: str) -> None:
        if call.startswith(("put ", "copy ")) and "joblib" in call:
            now[0] += timedelta(hours=2)
            approvals[0] = approves

    for approves in (False, True):
        approvals[0] = True
        world.store.before = meanwhile
        if not approves:
            with pytest.raises(DeliveryError, match="prod stays as it is"):
                perform(decide, *places, ANN, clock=clock)
            assert state(world) is None
            for key in [key for key in world.store.objects if key.startswith("prod/") and "joblib" in key]:
                del world.store.objects[key]
        else:
            assert perform(decide, *places, ANN, clock=clock).changed
    assert len(questions) == 4, "each time again, once all was there"
