"""What gc takes and what it leaves, with a failure or a promotion at each of its calls."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from tests.fakes.memory_store import LONG_AGO
from tests.gc.landscape import Landscape, dag_report, missing_of, run_of
from windlass.delivery.history.ledger import read_history
from windlass.delivery.history.states import load_named
from windlass.spec.errors import DeliveryError, TransientError

OLD, NEW, YOUNG = "a" * 16, "b" * 16, "c" * 16


class Killed(BaseException):
    """The process ends here: nothing may catch it."""


@pytest.fixture
def land() -> Landscape:
    """dev had releases 1, 2 and 3, a hundred days apart; 3 is live since a hundred days."""
    land = Landscape()
    for number, model in ((1, OLD), (2, NEW), (3, NEW)):
        land.promote(land.release(number, model), number, "dev")
        land.days += 100
    return land


def kinds(names: list[tuple[str, str, str]]) -> list[tuple[str, str]]:
    return [(kind, which if kind == "model" else "") for kind, _, which in names]


def test_what_nothing_needs_goes_and_the_live_release_with_its_model_stays(land: Landscape) -> None:
    assert kinds(land.gc()) == [("release", ""), ("release", ""), ("model", OLD)]
    assert land.missing() == []
    assert not [key for key in land.store.objects if OLD in key]
    assert land.gc() == []


def test_the_last_releases_of_each_project_stay(land: Landscape) -> None:
    other = land.release(7, project="letters")
    land.promote(other, 7, "dev", project="letters")
    land.days += 100
    assert land.gc(keep=3) == []
    assert kinds(land.gc(keep=2)) == [("release", ""), ("model", OLD)]
    earlier = load_named(land.store, "dev", land.live("dev").previous)
    land.world.rollback(load_named(land.store, "dev", earlier.previous).projects["digits"], "dev")
    assert land.missing() == []


def test_going_back_and_forth_does_not_use_up_what_is_kept(land: Landscape) -> None:
    states = [
        load_named(land.store, "dev", record.state) for record in read_history(land.store, "dev", check=False).records
    ]
    for _ in range(4):
        for state in (states[1], states[2]):
            land.world.rollback(state.projects["digits"], "dev")
    land.days += 100
    assert kinds(land.gc(keep=2)) == [("release", ""), ("model", OLD)]


def test_what_is_live_further_down_stays_here(land: Landscape) -> None:
    land.promote(land.release(1, OLD), 1, "stage")
    land.days += 100
    assert kinds(land.gc("dev")) == [("release", "")]
    assert land.missing() == []


@pytest.mark.parametrize("state", ["queued", "running"])
def test_what_a_run_still_uses_stays_until_it_ends(land: Landscape, state: str) -> None:
    first = read_history(land.store, "dev", check=False).records[0].state
    land.airflow.reports = [dag_report("read", land.live("dev").name)]
    land.airflow.runs = [run_of("read", first, state)]
    assert kinds(land.gc()) == [("release", "")]
    assert missing_of(land.world.place("dev"), load_named(land.store, "dev", first)) == []
    land.airflow.runs = []
    assert kinds(land.gc()) == [("release", ""), ("model", OLD)]


def test_the_whole_state_of_a_run_stays_for_a_version_is_staged_whole(land: Landscape) -> None:
    for number in (7, 8):
        land.promote(land.release(number, project="letters"), number, "dev", project="letters")
        land.days += 100
    with_seven = read_history(land.store, "dev", check=False).records[3].state
    land.airflow.reports = [dag_report("digits_read", None)]
    land.airflow.runs = [run_of("digits_read", with_seven)]
    land.gc()
    assert missing_of(land.world.place("dev"), load_named(land.store, "dev", with_seven)) == []


def test_a_dag_that_was_not_parsed_since_keeps_the_version_that_its_next_run_begins_with(land: Landscape) -> None:
    first = read_history(land.store, "dev", check=False).records[0].state
    land.airflow.reports = [dag_report("read", first)]
    land.gc()
    assert missing_of(land.world.place("dev"), load_named(land.store, "dev", first)) == []
    land.airflow.reports = [dag_report("read", first, is_stale=True)]
    assert kinds(land.gc()) == [("release", ""), ("model", OLD)]


def test_runs_of_other_bundles_and_without_a_version_do_not_matter(land: Landscape) -> None:
    land.airflow.reports = [dag_report("read", None)]
    land.airflow.runs = [run_of("elsewhere", "9-0123456789ab"), run_of("read", "")]
    assert len(land.gc()) == 3


def test_a_run_whose_state_was_never_here_stops_everything(land: Landscape) -> None:
    land.airflow.reports = [dag_report("read", None)]
    land.airflow.runs = [run_of("read", "9-0123456789ab")]
    before = dict(land.store.objects)
    with pytest.raises(DeliveryError, match=r"'9-0123456789ab'.*nothing is removed"):
        land.gc()
    assert land.store.objects == before


def test_what_is_young_stays_and_so_does_the_old_model_that_a_young_release_will_need(land: Landscape) -> None:
    land.world.train(YOUNG, 0.95)  # long ago
    land.release(9, YOUNG)
    assert kinds(land.gc()) == [("release", ""), ("release", ""), ("model", OLD)]
    land.promote(land.release(9, YOUNG), 9, "dev")
    assert land.missing() == []


def test_a_release_that_was_built_again_from_another_commit_is_young(land: Landscape) -> None:
    key = f"dev/provenance/digits/{land.release(1, OLD).digest}/{'f' * 40}.json"
    land.store.put(key, b"{}")
    assert kinds(land.gc()) == [("release", "")]


def test_a_training_that_is_under_way_is_left_alone_and_one_that_crashed_long_ago_goes(land: Landscape) -> None:
    file = f"dev/digits/{YOUNG}/files/{'0' * 16}/digits.joblib"
    land.store.put(file, b"half")
    land.gc()
    assert file in land.store.objects
    land.days += 100
    assert kinds(land.gc()) == [("model", YOUNG)]


def test_what_gates_decided_and_people_overrode_stays_when_the_release_is_gone_and_is_counted(land: Landscape) -> None:
    old = next(name for kind, _, name in land.gc() if kind == "release")
    kept = {f"dev/provenance/digits/{old}/{what}/{'e' * 64}.json" for what in ("gate", "override")}
    kept |= {f"dev/provenance/gone/{'d' * 64}/gate/{digit * 64}.json" for digit in "12"}
    land.store.objects |= dict.fromkeys(kept, b"{}")
    land.days += 10_000
    plan = land.deciding("dev", 1, 30)()[0]
    assert plan.kept["decisions of gates, with overrides"] == (2, 8), "of two releases, four objects"
    land.gc()
    assert kept <= land.store.objects.keys()
    assert not [key for key in land.store.objects if old in key and key not in kept]


def test_ledger_states_and_whatever_is_not_ours_are_never_touched(land: Landscape) -> None:
    digest = "0" * 64
    strange = {
        "dev/incoming/digits/batch.csv",
        "dev/datasets/0123456789abcdef/model.json",
        f"dev/transfer/{OLD}/model.json",
        f"dev/incoming/{OLD}/files/{OLD}/batch.csv",
        f"dev/releases/digits/{digest}.tar.gz.sig",
        f"dev/releases/digits/sub/{digest}.tar.gz",
        f"dev/releases/../{digest}.tar.gz",
        f"dev/elsewhere/{digest}.tar.gz",
        f"development/releases/digits/{digest}.tar.gz",
        f"dev/inner/releases/digits/{digest}.tar.gz",
        f"dev/digits/{OLD}/notes.txt",
        "dev/states/latest.json",
        "dev/digits",
        "dev/",
    }
    land.store.objects |= dict.fromkeys(strange, b"{}")
    ours = {key for key in land.store.objects if "/ledger/" in key or "/states/" in key or key.endswith("state.json")}
    land.gc()
    assert strange | ours <= land.store.objects.keys()
    assert read_history(land.store, "dev", check=True).faults == []


def test_a_state_that_lost_its_swap_goes_and_one_that_is_about_to_be_swapped_stays(land: Landscape) -> None:
    live = land.live("dev")
    assert live is not None
    lost = live.model_copy(update={"serial": 2})
    soon = live.model_copy(update={"serial": 4, "previous": live.name})
    land.store.objects[f"dev/states/{lost.name}.json"] = lost.to_json()
    land.store.put(f"dev/states/{soon.name}.json", soon.to_json())
    assert ("state", "", lost.name) in land.gc()
    assert f"dev/states/{soon.name}.json" in land.store.objects


def test_what_a_deployment_that_is_about_to_swap_found_here_stays(land: Landscape) -> None:
    live = land.live("dev")
    first = load_named(land.store, "dev", read_history(land.store, "dev", check=False).records[0].state)
    assert live is not None
    soon = first.model_copy(update={"serial": 4, "previous": live.name})
    land.store.put(f"dev/states/{soon.name}.json", soon.to_json())
    land.gc()
    assert missing_of(land.world.place("dev"), soon) == []


def test_a_state_that_only_the_ledger_names_is_proof_and_stays(land: Landscape) -> None:
    live = land.live("dev")
    assert live is not None
    forged = live.model_copy(update={"serial": 2})
    record = land.store.objects["dev/ledger/2.json"]
    before = read_history(land.store, "dev", check=False).records[1].state
    land.store.objects["dev/ledger/2.json"] = record.replace(before.encode(), forged.name.encode())
    land.store.objects[f"dev/states/{forged.name}.json"] = forged.to_json()
    land.gc()
    assert f"dev/states/{forged.name}.json" in land.store.objects


def test_a_damaged_record_beside_a_state_outside_of_the_chain_is_named_and_nothing_goes(land: Landscape) -> None:
    live = land.live("dev")
    assert live is not None
    lost = live.model_copy(update={"serial": 2})
    land.store.objects[f"dev/states/{lost.name}.json"] = lost.to_json()
    land.store.objects["dev/ledger/2.json"] = b"{}"
    before = dict(land.store.objects)
    with pytest.raises(DeliveryError, match=r"dev/ledger/2\.json cannot be read: serial: Field required"):
        land.gc()
    assert land.store.objects == before


def test_a_pointer_that_is_gone_is_not_taken_for_an_empty_environment(land: Landscape) -> None:
    land.promote(land.release(1, OLD), 1, "stage")
    land.days += 100
    for name in ("dev", "stage"):
        pointer = land.store.objects.pop(f"{name}/state.json")
        before = dict(land.store.objects)
        with pytest.raises(DeliveryError, match=f"{name}/state.json is gone"):
            land.gc("dev")
        assert land.store.objects == before
        land.store.objects[f"{name}/state.json"] = pointer


def test_an_airflow_that_is_away_keeps_everything(land: Landscape) -> None:
    def away(call: str) -> None:
        raise TransientError("Airflow of dev does not answer")

    land.airflow.tick = away
    before = dict(land.store.objects)
    with pytest.raises(TransientError):
        land.gc()
    assert land.store.objects == before


def test_things_go_after_what_names_them(land: Landscape) -> None:
    land.store.calls.clear()
    land.gc()
    deleted = [call.split("/", 1)[1] for call in land.store.calls if call.startswith("delete")]
    parts = [key.split("/")[0] for key in deleted]
    assert parts == ["provenance", "releases", "provenance", "releases", "digits", "digits"]
    assert [key.rpartition("/")[2] for key in deleted[-2:]] == ["model.json", "digits.joblib"]


@dataclass
class Point:
    """Stops the process at one call, before it arrives or after it was done."""

    number: int
    after: bool
    seen: int = 0

    def __call__(self, call: str) -> None:
        self.seen += 1
        if self.seen - 1 == self.number:
            raise Killed(call)


def prepared() -> Landscape:
    land = Landscape()
    for number, model in ((1, OLD), (2, NEW), (3, NEW)):
        land.promote(land.release(number, model), number, "dev")
        land.days += 100
    land.store.objects["dev/states/2-0123456789ab.json"] = b"{}"
    land.promote(land.release(2, NEW), 2, "stage")
    land.airflow.reports = [dag_report("read", land.live("dev").name)]
    land.days += 100
    return land


def test_killed_at_any_call_nothing_is_half_and_the_same_command_completes(capsys: pytest.CaptureFixture[str]) -> None:
    whole = prepared()
    whole.gc()
    points = 0
    for after in (False, True):
        number = 0
        while True:
            land = prepared()
            point = Point(number, after)
            land.airflow.tick = point
            setattr(land.store, "after" if after else "before", point)
            try:
                land.gc()
            except Killed:
                points += 1
            else:
                assert point.seen == number, "a point was skipped"
                break
            finally:
                land.airflow.tick = land.store.before = land.store.after = lambda call: None
            assert land.missing() == []
            assert_nothing_dangles(land)
            land.gc()
            assert land.store.objects == whole.store.objects
            number += 1
    with capsys.disabled():
        print(f" [gc: killed at {points} points] ", end="")
    assert points > 60


def assert_nothing_dangles(land: Landscape) -> None:
    """Provenance has its release, a release its models, a model.json its files."""
    for key in land.store.objects:
        parts = key.split("/")
        if parts[1] == "provenance":
            assert f"{parts[0]}/releases/{parts[2]}/{parts[3]}.tar.gz" in land.store.objects
        if parts[-1] == "model.json":
            assert any(other.startswith(key.replace("model.json", "files/")) for other in land.store.objects)


@dataclass
class Interference:
    """Does something else at one call, before it arrives."""

    number: int
    act: Callable[[], object]
    seen: int = 0
    at: str = ""

    def __call__(self, call: str) -> None:
        self.seen += 1
        if self.seen - 1 == self.number and not self.at:
            self.at = call
            self.act()


@pytest.mark.parametrize("number", [1, 5], ids=["a release that gc would take", "a new release with an old model"])
def test_a_promotion_at_any_call_of_gc_loses_nothing_without_being_told(
    number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only in the one request between the last look and the removal can it be hit; then gc says so."""
    told: list[str] = []
    for point in count():
        land = prepared()
        land.store.before = interference = Interference(point, lambda land=land: promote_twice(land, number))
        try:
            land.gc("dev")
        except DeliveryError as error:
            told.append(interference.at)
            message = str(error)
            promote_twice(land, number)  # as the message says
        else:
            message = ""
        assert land.missing() == [], interference.at
        assert not message or "went live in dev in the moment of its removal" in message
        if not interference.at:
            break
    assert all(call.startswith("delete ") for call in told), told
    with capsys.disabled():
        print(f" [gc: a promotion at {point} points: {len(told)} told] ", end="")
    assert point > 40


def promote_twice(land: Landscape, number: int) -> None:
    for name in ("stage", "dev"):
        land.promote(land.release(number, OLD), number, name)


def test_gc_at_any_call_of_a_promotion_takes_nothing_that_goes_live(capsys: pytest.CaptureFixture[str]) -> None:
    for point in count():
        land = prepared()
        archive = land.release(1, OLD)
        for key in land.store.objects:
            if archive.digest in key or OLD in key:
                land.store.written.pop(key, None)
        land.store.before = interference = Interference(point, lambda land=land: land.gc("dev"))
        with contextlib.suppress(DeliveryError):  # what gc took first cannot be promoted: dev stays as it was
            land.promote(archive, 1, "dev")
        land.store.before = lambda call: None
        assert land.missing() == [], interference.at
        if not interference.at:
            break
    with capsys.disabled():
        print(f" [gc: at {point} points of a promotion] ", end="")


STEP = st.one_of(
    st.tuples(st.just("promote"), st.integers(1, 6), st.sampled_from(["dev", "stage", "prod"])),
    st.tuples(st.just("letters"), st.integers(1, 3), st.sampled_from(["dev", "stage"])),
    st.tuples(st.just("rollback"), st.integers(1, 4), st.sampled_from(["dev", "stage", "prod"])),
    st.tuples(st.just("gc"), st.integers(1, 3), st.sampled_from(["dev", "stage", "prod"])),
    st.tuples(st.just("pass"), st.integers(1, 60), st.just("")),
    st.tuples(st.just("run"), st.integers(0, 3), st.just("dev")),
)


@given(st.lists(STEP, max_size=25))
@budget(max_examples=150, deadline=None)
def test_whatever_happens_what_a_live_state_or_a_run_names_is_there(steps: list[tuple[str, int, str]]) -> None:
    land = Landscape()
    for step, number, name in steps:
        with contextlib.suppress(DeliveryError):  # what gc took cannot be promoted: the environment stays as it was
            take(land, step, number, name)
        assert land.missing() == []
        assert_nothing_dangles(land)
        for run in land.airflow.runs:
            assert missing_of(land.world.place("dev"), load_named(land.store, "dev", str(run.version))) == []
    for name in ("dev", "stage", "prod"):
        assert read_history(land.store, name, check=True).faults == []


def take(land: Landscape, step: str, number: int, name: str) -> None:
    if step == "promote":
        model = "abc"[number % 3] * 16
        land.promote(land.release(number, model), number, name)
    elif step == "letters":
        land.promote(land.release(number, project="letters"), number, name, project="letters")
    elif step == "rollback":
        records = read_history(land.store, name, check=False).records[-number:]
        then = load_named(land.store, name, records[0].state) if records else None
        if then and "digits" in then.projects:
            land.world.rollback(then.projects["digits"], name)
    elif step == "gc":
        land.gc(name, keep=number, days=10)
    elif step == "run":
        records = read_history(land.store, "dev", check=False).records
        live = records[-1].state if records else None
        kept = land.airflow.runs[-number:] if number else []
        land.airflow.reports = [dag_report("digits_read", live)]
        land.airflow.runs = [*kept, run_of("digits_read", live)] if live else kept
    else:
        land.days += number


def test_long_ago_is_before_everything() -> None:
    assert Landscape().today > LONG_AGO
