"""Releases laid out as files: what is written in which order, whose files they are, and a crash at every call."""

import itertools
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.delivery.conftest import settings
from tests.delivery.plain_world import DAGS, Killed, PlainWorld, ended, plain_files
from windlass.delivery.plain.lay_out import lay_out, unfinished
from windlass.delivery.plain.plan import plan_layout
from windlass.delivery.promotion.go_back import go_back
from windlass.delivery.promotion.perform import Author, Outcome
from windlass.delivery.release.find import lived, state_meant
from windlass.spec.errors import DeliveryError, TransientError
from windlass.spec.layout import ENVIRONMENT, OwnFiles, is_dag, list_key

ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40


@pytest.fixture
def world() -> PlainWorld:
    return PlainWorld()


def first(world: PlainWorld) -> Outcome:
    return world.promote(world.publish(ONE, {"read": "one", "old": "o"}), ONE, "stage", tag="v1")


def second(world: PlainWorld) -> Outcome:
    """Another DAG text, another operator, one DAG more and one less."""
    archive = world.publish(TWO, {"read": "two", "new": "n"}, operator="You say ")
    return world.promote(archive, TWO, "stage", tag="v2")


def letters(world: PlainWorld, word: str = "abc", commit: str = THREE) -> Outcome:
    return world.promote(world.publish(commit, {"sort": word}, project="letters"), commit, "stage", project="letters")


def back(world: PlainWorld) -> Outcome:
    return world.rollback(lived(world.place("stage"), "digits", "v1"), "stage")


def all_back(world: PlainWorld) -> None:
    place = world.place("stage")
    go_back(place, state_meant(place, "previous"), Author(actor="ann"), clock=world.clock)


def touched(world: PlainWorld) -> list[str]:
    """What was written and deleted below dags/, in order."""
    changes = [call.partition(" ") for call in world.store.calls]
    return [f"{what} {key.removeprefix(DAGS)}" for what, _, key in changes if what in ("put", "delete") and DAGS in key]


def test_a_promotion_lays_the_release_and_the_settings_out(world: PlainWorld) -> None:
    outcome = first(world)
    world.require_laid_out()
    assert outcome.laid_out is not None
    assert (outcome.laid_out.written, outcome.laid_out.deleted) == (len(world.wanted()), 0)
    assert "no versions" in outcome.laid_out.describe()


def test_the_state_is_swapped_before_any_file_is_touched(world: PlainWorld) -> None:
    first(world)
    calls = world.store.calls
    assert calls.index("put stage/state.json") < min(calls.index(f"put {DAGS}{path}") for path in world.files())


def test_helpers_come_first_then_dag_files_and_deletes_last_dag_files_before_helpers(world: PlainWorld) -> None:
    first(world)
    world.store.calls.clear()
    second(world)
    changes = touched(world)
    kinds = [(change.split()[0], is_dag(change.split()[1])) for change in changes]
    assert kinds == sorted(kinds, key=[("put", False), ("put", True), ("delete", True), ("delete", False)].index)
    assert "delete digits/dags/old.py" in changes
    assert "put digits/operators/__init__.py" not in changes, "it is as before"


def test_helpers_that_are_no_longer_needed_go_after_the_dag_files(world: PlainWorld) -> None:
    first(world)
    letters(world)
    place = world.place("stage")
    world.store.calls.clear()
    go_back(place, state_meant(place, "1"), Author(), clock=world.clock)
    deletes = [change.split()[1] for change in touched(world) if change.startswith("delete")]
    assert deletes[0] == "letters/dags/sort.py"
    assert len(deletes) == len(plain_files("letters", world.publish(THREE, {"sort": "abc"}, project="letters")))
    world.require_laid_out()


def test_a_promotion_with_nothing_to_do_costs_a_few_reads_and_no_write(world: PlainWorld) -> None:
    first(world)
    world.store.calls.clear()
    outcome = first(world)
    assert not outcome.changed
    assert outcome.laid_out is not None
    assert (outcome.laid_out.written, outcome.laid_out.kept) == (0, len(world.wanted()))
    below = [call for call in world.store.calls if "/dags/" in call or "/plain/" in call]
    assert sorted(below) == [
        "get stage/plain/_environment.json",
        "get stage/plain/digits.json",
        "list stage/dags/digits/",
        "list stage/dags/environment.json",
        "list stage/plain/",
    ]


@pytest.mark.parametrize("path", ["digits/dags/read.py", "digits/operators/say.py", "environment.json"])
@pytest.mark.parametrize("hand", ["edited", "deleted"])
def test_a_promotion_again_repairs_what_somebody_altered(world: PlainWorld, path: str, hand: str) -> None:
    first(world)
    if hand == "edited":
        world.store.put(DAGS + path, bytes(len(world.wanted()[path])))
    else:
        world.store.delete(DAGS + path)
    world.store.calls.clear()
    outcome = first(world)
    assert not outcome.changed
    assert touched(world) == [f"put {path}"]
    world.require_laid_out()


@pytest.mark.parametrize(
    "path", ["digits/dags/read.py", "digits/operators/say.py", "digits/operators", "digits/dags/read.py/x"]
)
def test_a_foreign_file_in_the_way_is_refused_by_name_before_the_swap(world: PlainWorld, path: str) -> None:
    world.put_foreign(path)
    with pytest.raises(DeliveryError, match=f"stage stays as it is: {DAGS}{path} lies where .* move it away"):
        first(world)
    assert "stage/state.json" not in world.store.objects
    assert world.files() == {}
    world.require_unharmed()
    del world.store.objects[DAGS + path]
    world.foreign.clear()
    first(world)
    world.require_laid_out()


def test_settings_of_somebody_else_are_refused_too(world: PlainWorld) -> None:
    world.put_foreign("environment.json", b"{}")
    with pytest.raises(DeliveryError, match=r"stage stays as it is: stage/dags/environment\.json lies"):
        first(world)
    assert "stage/state.json" not in world.store.objects


def test_a_rollback_is_refused_before_the_swap_too(world: PlainWorld) -> None:
    first(world)
    state = second(world).state
    world.put_foreign("digits/dags/old.py")
    for step in (back, all_back):
        with pytest.raises(DeliveryError, match=r"stage stays as it is: .*digits/dags/old\.py"):
            step(world)
    assert world.live() == state
    world.require_laid_out()


def test_foreign_files_elsewhere_stay(world: PlainWorld) -> None:
    for path in ("digits/notes.txt", "digits/dags/mine.py", "other/dags/x.py", "digits2/dags/read.py", "top.py"):
        world.put_foreign(path)
    world.store.put(f"{DAGS}digits/", b"")  # a folder, as a console makes it
    world.foreign["digits/"] = b""
    for step in (first, second, back, second, all_back):
        step(world)
        world.require_laid_out(step.__name__)


def test_a_foreign_file_that_comes_after_the_check_is_not_overwritten_and_named(world: PlainWorld) -> None:
    def come(call: str) -> None:
        if call == "put stage/state.json":
            world.put_foreign("digits/dags/read.py")

    world.store.before = come
    with pytest.raises(DeliveryError, match=r"digits/dags/read\.py lies where .* not laid out whole"):
        first(world)
    world.store.before = lambda call: None
    world.require_unharmed()
    assert unfinished(world.place("stage"), world.live()) == ["digits"]
    with pytest.raises(DeliveryError, match="not laid out whole"):
        first(world)
    world.require_unharmed()


def test_a_foreign_file_that_comes_in_the_middle_of_a_layout_is_not_overwritten(world: PlainWorld) -> None:
    def come(call: str) -> None:
        if call == f"put {DAGS}digits/operators/say.py" and not world.foreign:
            world.put_foreign("digits/dags/read.py")

    world.store.before = come
    with pytest.raises(DeliveryError, match=r"digits/dags/read\.py lies where"):
        first(world)
    world.require_unharmed()


def test_a_refused_promotion_still_finishes_what_a_crash_left(world: PlainWorld) -> None:
    first(world)
    archive = world.publish(TWO, {"read": "two"}, {"digits": "a" * 16})
    world.train("a" * 16, 0.1)
    world.store.put(f"{DAGS}digits/dags/read.py", b"half")
    with pytest.raises(DeliveryError, match="stage stays as it is: model"):
        world.promote(archive, TWO, "stage")
    world.require_laid_out()


def test_a_project_that_is_gone_from_the_state_loses_its_files_whoever_promotes_next(world: PlainWorld) -> None:
    first(world)
    letters(world)
    place = world.place("stage")
    world.plain = False
    go_back(world.place("stage"), state_meant(place, "1"), Author(), clock=world.clock)
    world.plain = True
    assert "letters/dags/sort.py" in world.files()
    second(world)
    world.require_laid_out()


def test_new_settings_reach_the_files_with_any_promotion(world: PlainWorld) -> None:
    first(world)
    state = world.live()
    moved = settings("stage").model_copy(update={"images": {"python": "python:3.13"}})
    world.store.objects["stage/state.json"] = state.model_copy(update={"environment": moved}).to_json()
    assert unfinished(world.place("stage"), world.live()) == ["environment.json"]
    lay_out(world.place("stage"), ["digits"], sleep=world.slept.append)
    world.require_laid_out()


def test_a_list_that_names_a_file_of_others_is_refused(world: PlainWorld) -> None:
    first(world)
    world.put_foreign("other/dags/x.py")
    key = list_key("stage", "digits")
    world.store.objects[key] = world.store.objects[key].replace(b"digits/dags/old.py", b"other/dags/x.py")
    with pytest.raises(
        DeliveryError, match=r"was altered: it names .other/dags/x\.py., which cannot be a file of digits"
    ):
        second(world)
    assert world.store.objects[f"{DAGS}other/dags/x.py"] == b"not yours"


# -- several at once


def test_a_promotion_that_comes_while_another_lays_out_wins_in_the_files_too(world: PlainWorld) -> None:
    first(world)
    points = len(calls_of(world.copy(), second))
    for point in range(points):
        one = world.copy()
        calls = itertools.count()

        def interfere(call: str, one: PlainWorld = one, point: int = point, calls: Iterator[int] = calls) -> None:
            if next(calls) == point:
                one.store.before = lambda call: None
                one.promote(one.publish(THREE, {"read": "three", "new": "other"}), THREE, "stage")

        one.store.before = interfere
        second(one)
        one.require_laid_out(f"point {point}")


def overtaken_and_killed(
    world: PlainWorld,
    step: Callable[[PlainWorld], object],
    at: str,
    killed_at: str,
    other: Callable[[PlainWorld], object],
) -> None:
    """`step` is overtaken by `other` just before its call `at`, goes on, and ends at its next call `killed_at`."""

    def kill(call: str) -> None:
        if killed_at in call:
            raise Killed(call)

    def overtake(call: str) -> None:
        if call == at:
            world.store.before = quiet
            other(world)
            world.require_laid_out()
            world.store.before = kill

    world.store.before = overtake
    with pytest.raises(Killed):
        step(world)
    world.store.before = quiet


def test_a_file_that_an_overtaken_promotion_still_adds_stays_windlasss_own_and_goes(world: PlainWorld) -> None:
    first(world)
    archive = world.publish(TWO, {"read": "one", "old": "o", "new": "n"})
    step = partial(PlainWorld.promote, archive=archive, commit=TWO, to="stage")
    overtaken_and_killed(world, step, f"put {DAGS}digits/dags/new.py", "", back)
    assert "digits/dags/new.py" in world.files()
    world.require_unharmed()
    back(world)
    world.require_laid_out()


def test_a_promotion_that_is_overtaken_before_its_deletes_deletes_nothing(world: PlainWorld) -> None:
    first(world)
    archive = world.publish(TWO, {"read": "one"})
    step = partial(PlainWorld.promote, archive=archive, commit=TWO, to="stage")
    overtaken_and_killed(world, step, f"put {DAGS}digits/manifest.json", "get stage/state.json", back)
    assert "digits/dags/old.py" in world.files()
    world.require_unharmed()
    back(world)
    world.require_laid_out()


def test_claims_of_another_layout_are_carried_on_until_one_is_finished_after_it() -> None:
    claims = {"digits/dags/new.py": ["a" * 64]}
    under_way = plan_layout("b" * 64, {}, OwnFiles(under_way=True, adding=claims), {})
    assert (under_way.intent.adding, under_way.after.adding) == (claims, claims)
    finished = plan_layout("b" * 64, {}, OwnFiles(adding=claims), {})
    assert (finished.intent.adding, finished.after.adding) == (claims, {})


def calls_of(world: PlainWorld, step: Callable[[PlainWorld], object]) -> list[str]:
    world.store.calls.clear()
    step(world)
    return list(world.store.calls)


def test_eight_promoters_of_one_project_and_eight_of_others_end_with_the_files_of_the_live_state(
    world: PlainWorld,
) -> None:
    mine = [world.publish(f"{n}" * 40, {"read": f"{n}", f"extra{n % 3}": "x"}) for n in range(8)]
    others = {f"p{n}": world.publish(ONE, {f"sort{n}": "x"}, project=f"p{n}") for n in range(8)}
    with ThreadPoolExecutor(16) as pool:
        done = [pool.submit(world.promote, archive, f"{n}" * 40, "stage") for n, archive in enumerate(mine)]
        done += [pool.submit(world.promote, archive, ONE, "stage", project=name) for name, archive in others.items()]
        for one in done:
            one.result()
    assert world.live().serial == 16
    world.require_laid_out()


# -- a crash at every call


def nothing(world: PlainWorld) -> None:
    return None


@pytest.mark.parametrize(("kind", "moment"), [("killed", "before"), ("killed", "after"), ("failed", "after")])
@pytest.mark.parametrize(
    ("command", "prepare"), [(first, nothing), (second, first), (back, second), (all_back, second), (letters, second)]
)
def test_after_a_crash_at_any_call_files_are_old_or_new_and_the_same_command_finishes_them(
    command: Callable[[PlainWorld], object],
    prepare: Callable[[PlainWorld], object],
    kind: str,
    moment: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    begin = PlainWorld()
    for path in ("digits/dags/mine.py", "digits/notes.txt", "top.py"):
        begin.put_foreign(path)
    if prepare in (second, first):
        first(begin)
    prepare(begin)
    whole = begin.copy()
    before, old = (begin.live().projects if prepare is not nothing else {}), begin.files()
    points = len(calls_of(whole, command))
    after, new = whole.live().projects, whole.files()
    whole.require_laid_out()
    helpers = {path for path in new if not is_dag(path) and old.get(path) != new[path]}

    partly = 0
    for point in range(points):
        world, where = begin.copy(), f"point {point}"
        if kind == "killed":
            with pytest.raises(Killed), ended(world.store, moment, point):
                command(world)
        else:
            fail_once(world, moment, point)
            with suppress(TransientError):
                command(world)
            world.store.before = world.store.after = lambda call: None
        if "stage/state.json" in world.store.objects:
            assert world.live().projects in (before, after), where
        found = world.files()
        for path, content in found.items():
            assert content in (old.get(path), new.get(path)), f"{where}: {path} is neither old nor new"
        changed = [path for path in found if is_dag(path) and found[path] != old.get(path)]
        assert not changed or all(found.get(path) == new[path] for path in helpers), f"{where}: DAGs before helpers"
        gone = [path for path in old.keys() - new.keys() if path not in found]
        assert not gone or all(found.get(path) == new[path] for path in new), f"{where}: deletes before writes"
        world.require_unharmed(where)
        partly += found not in (old, new)
        if kind == "killed":
            other = world.copy()
            letters(other, "xyz", TWO)
            other.require_unharmed(where)
            assert unfinished(other.place("stage"), other.live()) in ([], ["digits"]), where
        command(world)
        world.require_laid_out(where)
        assert (world.live().projects, world.live().serial) == (after, whole.live().serial), where
        world.store.calls.clear()
        command(world)
        assert touched(world) == [], f"{where}: it was not finished"
    assert partly
    with capsys.disabled():
        name = command.__name__
        sys.stdout.write(f"\nplain {name}: {kind} {moment} each of {points} S3 calls, {partly} times half laid out\n")


def fail_once(world: PlainWorld, moment: str, point: int) -> None:
    calls = itertools.count()

    def fail(call: str) -> None:
        if next(calls) == point:
            raise TransientError(call)

    setattr(world.store, moment, fail)


RELEASES = [
    ({"read": "one"}, "I say "),
    ({"read": "two", "new": "n"}, "I say "),
    ({"read": "one", "old": "o"}, "You say "),
    ({"new": "m"}, "You say "),
]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["digits", "letters", "all back"]),
        st.integers(0, len(RELEASES) - 1),
        st.none() | st.tuples(st.sampled_from(["before", "after"]), st.integers(0, 45)),
        st.none() | st.sampled_from(["digits/dags/new.py", "digits/operators/say.py", "letters/x", "environment.json"]),
    ),
    min_size=1,
    max_size=6,
)


@hypothesis_settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_any_history_with_crashes_ends_with_exactly_the_live_files_and_no_foreign_one_touched(steps: list) -> None:
    world = PlainWorld()
    for project, number, crash, foreign in steps:
        if foreign and DAGS + foreign not in world.store.objects:
            world.put_foreign(foreign)
        step = history_step(project, number)
        with suppress(DeliveryError, Killed):
            if crash is None:
                step(world)
            else:
                with ended(world.store, *crash):
                    step(world)
        world.require_unharmed(f"{project} {number} {crash}")
    for path in list(world.foreign):
        del world.foreign[path], world.store.objects[DAGS + path]
    for project in ("digits", "letters"):
        history_step(project, 0)(world)
    world.require_laid_out()


def quiet(call: str) -> None:
    return None


def history_step(project: str, number: int) -> Callable[[PlainWorld], object]:
    dags, operator = RELEASES[number]
    commit = f"{number + 1}" * 40

    def promote(world: PlainWorld) -> object:
        if project == "all back":
            return all_back(world)
        hooks, world.store.before, world.store.after = (world.store.before, world.store.after), quiet, quiet
        named = {f"{project}_{name}": word for name, word in dags.items()} if project == "letters" else dags
        archive = world.publish(commit, named, project=project, operator=operator)
        world.store.before, world.store.after = hooks
        return world.promote(archive, commit, "stage", project=project)

    return promote


def test_the_settings_have_an_owner_that_no_project_can_be() -> None:
    assert list_key("stage", ENVIRONMENT) == "stage/plain/_environment.json"
