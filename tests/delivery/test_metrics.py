# ruff: noqa: F811 - a fixture is imported under the name that tests take it by
"""DORA's four keys: what counts as a deployment, a failure and a restoration, and what they are reckoned from."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import examples
from tests.delivery.conftest import World
from tests.delivery.in_memory import open_store, s3, store  # noqa: F401 - fixtures
from tests.delivery.test_commands import Run, commit, deliver, git, project, windlass  # noqa: F401 - fixtures
from tests.fakes.chains import chain_of
from tests.fakes.memory_store import MemoryStore
from windlass.delivery.history.states import load_current
from windlass.delivery.metrics.came import Came, read_log
from windlass.delivery.metrics.four_keys import PARTS, four_keys, judged
from windlass.delivery.metrics.shown import HEADINGS, cells, rough, sparkline
from windlass.delivery.place import Place
from windlass.delivery.promotion.go_back import go_back
from windlass.delivery.promotion.perform import Author
from windlass.delivery.release.find import state_meant
from windlass.delivery.verification.verdicts import record_verdict
from windlass.spec.errors import TransientError
from windlass.spec.verdict import Result, Verdict

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
END = BEGIN + timedelta(weeks=2)
HOUR = timedelta(hours=1)


def came(serial: int, release: str | None, *, back: bool = False, changes: tuple[float, ...] = ()) -> Came:
    """Live from the hour `serial` on; `changes` are hours before that."""
    at = BEGIN + serial * HOUR
    return Came("digits", release * 64 if release else None, serial, at, back, tuple(at - h * HOUR for h in changes))


def verdict(serial: int, result: Result, hour: float) -> Verdict:
    at = (BEGIN + hour * HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Verdict(result=result, state=f"{serial}-{'a' * 12}", at=at)


def told(one: list[Came], **verdicts: list[Verdict]) -> list[float | bool | None]:
    """For each promotion: False, or after how many hours it was put right (None: not yet)."""
    newest_first = {("digits", release * 64): every[::-1] for release, every in verdicts.items()}
    found = judged(one, newest_first)
    hours = [(one.restored - one.came.at) / HOUR if one.restored else None for one in found]
    return [hour if one.failed else False for one, hour in zip(found, hours, strict=True)]


def test_what_is_not_taken_back_and_has_no_failed_verdict_is_well() -> None:
    assert told([came(1, "a"), came(3, "b")], a=[verdict(1, "pass", 1)], b=[verdict(3, "inconclusive", 4)]) == [
        False,
        False,
    ]


def test_what_is_taken_back_failed_until_then() -> None:
    assert told([came(1, "a"), came(3, "b"), came(7, "a", back=True)]) == [False, 4]
    assert told([came(3, "b"), came(7, None, back=True)]) == [4]


def test_a_failed_verdict_is_put_right_by_a_pass_or_by_what_comes_next() -> None:
    fail = verdict(3, "fail", 3.5)
    assert told([came(3, "b")], b=[fail]) == [None]
    assert told([came(3, "b")], b=[fail, verdict(3, "pass", 5)]) == [2]
    assert told([came(3, "b")], b=[verdict(3, "pass", 3.1), fail]) == [None]
    assert told([came(3, "b"), came(9, "c")], b=[fail]) == [6, False]
    assert told([came(3, "b"), came(9, "c"), came(11, "a", back=True)], b=[fail]) == [8, 2]
    assert told([came(3, "b"), came(9, "c")], b=[fail], c=[verdict(9, "fail", 9.5), verdict(12, "pass", 13)]) == [10, 4]


def test_a_verdict_counts_for_the_time_in_which_the_release_was_live() -> None:
    again = [came(1, "a"), came(3, "b"), came(5, "a")]
    assert told(again, a=[verdict(6, "fail", 6)]) == [False, False, None]
    assert told(again, a=[verdict(2, "fail", 2)]) == [2, False, False]
    assert told(again, a=[verdict(4, "fail", 4)]) == [False, False, False], "it was not live then"
    assert told(again, a=[Verdict(result="fail", state="odd", at="odd")]) == [False, False, False]


def test_a_rollback_that_is_rolled_back_is_no_failure_of_a_promotion() -> None:
    assert told([came(1, "a"), came(2, "b"), came(3, "a", back=True), came(4, "b", back=True)]) == [False, 1]


def test_the_keys_are_medians_and_shares() -> None:
    other = [Came("words", "f" * 64, 9, BEGIN + 9 * HOUR, False)]
    mine = [came(1, "a", changes=(1, 5)), came(30, "b", changes=(3,)), came(32, "a", back=True), came(336, "c")]
    every, (digits, words) = four_keys([*mine, *other], {}, BEGIN, END)
    assert (digits.deployments, digits.per_week, digits.changes, digits.lead_time) == (3, 1.5, 3, 3 * 3600)
    assert (digits.failed, digits.failure_rate, digits.restore_time, digits.restored) == (1, 0.3333, 2 * 3600, 1)
    assert (digits.trend[0], digits.trend[1], digits.trend[-1], sum(digits.trend)) == (1, 1, 1, 3)
    assert (words.deployments, words.lead_time, words.failure_rate, words.restore_time) == (1, None, 0.0, None)
    assert (every.project, every.deployments, every.failure_rate) == (None, 4, 0.25)
    assert cells(digits) == ("digits", "3", "1.5", "3.0 h", "1 of 3 (33%)", "2.0 h", sparkline(digits.trend))
    assert cells(words)[3:6] == ("-", "0 of 1 (0%)", "-")
    assert len(HEADINGS) == len(cells(every))


def test_without_anything_nothing_is_reckoned() -> None:
    every, each = four_keys([], {}, BEGIN, END)
    assert each == []
    assert (every.deployments, every.per_week, every.lead_time, every.failure_rate) == (0, 0.0, None, None)
    assert cells(every)[2:] == ("0", "-", "-", "-", "·" * PARTS)


def test_a_young_environment_is_not_told_to_be_faster_than_a_week_shows() -> None:
    every, _ = four_keys([came(1, "a"), came(2, "b")], {}, BEGIN, BEGIN + 3 * HOUR)
    assert every.per_week == 2


@examples(100)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.sampled_from(["pass", "fail", None])), max_size=12))
def test_whatever_happened_the_figures_fit_each_other(story: list[tuple[str, bool, Result | None]]) -> None:
    lives = [came(n, release, back=back and n > 1) for n, (release, back, _) in enumerate(story, 1)]
    verdicts: dict[tuple[str, str], list[Verdict]] = {}
    for n, (release, _, result) in enumerate(story, 1):
        if result:
            verdicts.setdefault(("digits", release * 64), []).insert(0, verdict(n, result, n + 0.5))
    every, _ = four_keys(lives, verdicts, BEGIN, END)
    assert every.restored <= every.failed <= every.deployments == sum(every.trend) <= len(story)
    assert (every.restore_time or 0) >= 0


def test_figures_are_short() -> None:
    assert [rough(seconds) for seconds in (0, 89, 90, 5399, 5400, 172_799, 172_800)] == [
        "0 s", "89 s", "2 min", "90 min", "1.5 h", "48.0 h", "2.0 days",
    ]  # fmt: skip
    assert sparkline((0, 1, 4, 8)) == "·▁▄█"
    assert sparkline((0, 1)) == "·█"


def nothing(before: str | None, made: str) -> list[tuple[str, datetime]]:
    return []


def test_the_log_tells_promotions_rollbacks_and_the_return_of_a_whole_environment(world: World) -> None:
    one = world.publish("1" * 40, {"read": "1"})
    two = world.publish("2" * 40, {"read": "2"})
    words = world.publish("3" * 40, {"say": "1"}, project="words")
    place = world.place("stage")
    world.promote(one, "1" * 40, "stage")
    world.promote(words, "3" * 40, "stage", project="words")
    world.promote(two, "2" * 40, "stage")
    world.promote(two, "4" * 40, "stage")  # the same bytes from another commit
    world.rollback(
        world.live().projects["digits"].model_copy(update={"release": one.digest, "commit": "1" * 40}), "stage"
    )
    go_back(place, state_meant(place, "1"), Author(actor="ann"), clock=world.clock)
    record_verdict(place, "digits", two.digest, verdict(3, "fail", 0))
    log = read_log(place, BEGIN, None, nothing)
    assert [(step.project, step.release, step.serial, step.is_back) for step in log.came] == [
        ("digits", one.digest, 1, False),
        ("words", words.digest, 2, False),
        ("digits", two.digest, 3, False),
        ("digits", one.digest, 5, True),
        ("words", None, 6, True),
    ]
    each = read_log(place, BEGIN, None, lambda before, made: [(f"{before}{made}", BEGIN)])
    assert [len(step.changes) for step in each.came] == [1, 1, 1, 0, 0], "what comes back is no change"
    assert [result.result for result in log.verdicts["digits", two.digest]] == ["fail"]
    assert log.begin == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert [step.project for step in read_log(place, BEGIN, "words", nothing).came] == ["words", "words"]
    assert read_log(place, log.begin + HOUR, None, nothing).came == ()
    built = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
    assert log.came[0].changes == (built,), "git does not know it, so the release's record tells"


def test_a_commit_counts_where_it_came_live_for_the_first_time() -> None:
    store = chain_of(4, releases=3)
    base = datetime(2026, 11, 1, 8, tzinfo=UTC)

    def moments(before: str | None, made: str) -> list[tuple[str, datetime]]:
        first, last = (int(before, 16) + 1 if before else 0), int(made, 16)
        return [(f"{n}", base + timedelta(minutes=n)) for n in range(first, last + 1)]

    log = read_log(Place("dev", "dev", store, store), BEGIN, None, moments)
    assert [len(step.changes) for step in log.came] == [2, 1, 0, 0], "0 and 1, then 2, then 0 and 1 again"


def test_what_is_damaged_is_told_and_left_out() -> None:
    store = chain_of(3)
    place = Place("dev", "dev", store, store)
    state = load_current(store, "dev").state
    assert state is not None and state.previous is not None
    store.objects[f"dev/states/{state.previous}.json"] = b"{}"
    store.objects[f"dev/verdicts/digits/{state.projects['digits'].release}.json"] = b"{}"
    del store.objects["dev/ledger/1.json"]
    log = read_log(place, BEGIN, None, nothing)
    assert log.came == ()
    assert any("ledger/1.json is missing" in fault for fault in log.faults)
    assert any(state.previous in fault for fault in log.faults)


def test_a_store_that_is_away_at_any_call_stops_it_and_no_figure_is_made_up() -> None:
    store = chain_of(3)
    place = Place("dev", "dev", store, store)
    store.calls.clear()
    assert len(read_log(place, BEGIN, None, nothing).came) == 3
    points = len(store.calls)
    assert points > 10
    for point in range(points):
        asked = itertools.count()

        def away(call: str, point: int = point, asked: "itertools.count[int]" = asked) -> None:
            if next(asked) == point:
                raise TransientError("away")

        store.before = away
        with pytest.raises(TransientError):
            read_log(place, BEGIN, None, nothing)


def test_the_command_shows_a_table_and_json(
    project: Path, windlass: Run, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, out, err = windlass("metrics")
    assert (code, "stage: no release came since" in out, "so there is nothing to reckon" in out) == (0, True, True), err
    deliver(windlass)
    (project / "train.csv").write_text("0.95\n")
    commit("two")
    deliver(windlass)
    assert windlass("rollback", "dev")[0] == 0
    code, out, err = windlass("metrics", "--env", "dev", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert (found["environment"], [keys["project"] for keys in found["projects"]]) == ("dev", ["digits"])
    keys = found["all"]
    assert (keys["deployments"], keys["changes"], keys["failed"], keys["restored"]) == (2, 2, 1, 1)
    assert keys["lead_time"] < 3600
    code, out, _ = windlass("metrics", "--env", "dev", "--since", "2w")
    assert out.splitlines()[1].split() == [
        "project",
        "deployments",
        "per",
        "week",
        "lead",
        "time",
        "failed",
        "restored",
        "in",
        "trend",
    ]
    assert "1 of 2 (50%)" in out
    assert "all" not in out
    assert "no release of words came" in windlass("metrics", "--env", "dev", "--project", "words")[1]
    for wrong in ("90x", "tomorrow", "2027-01-01"):
        assert windlass("metrics", "--since", wrong)[0] == 2
    assert windlass("metrics", "--env", "moon")[0] == 2
