"""Trigger rules outside of Airflow: the decisions that Airflow takes for the same states."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.jobs.rules import TEARDOWN, Decision, State, decide
from windlass.spec.task import TRIGGER_RULES

S, F, K, U = "success", "failed", "skipped", "upstream_failed"
ENDED = st.sampled_from([S, F, K, U])
TABLE: list[tuple[str, list[State | None], Decision]] = [
    ("all_success", [], "run"),
    ("all_success", [S, S], "run"),
    ("all_success", [S, None], "wait"),
    ("all_success", [K, None], "skipped"),
    ("all_success", [F, None], "upstream_failed"),
    ("all_success", [U, K], "upstream_failed"),
    ("all_failed", [F, U], "run"),
    ("all_failed", [F, S], "skipped"),
    ("all_done", [F, K, U], "run"),
    ("all_done", [F, None], "wait"),
    ("all_done_min_one_success", [S, F], "run"),
    ("all_done_min_one_success", [F, F], "upstream_failed"),
    ("all_done_min_one_success", [S, K], "skipped"),
    ("all_skipped", [K, K], "run"),
    ("all_skipped", [K, S], "skipped"),
    ("one_success", [S, None], "run"),
    ("one_success", [F, None], "wait"),
    ("one_success", [F, K], "upstream_failed"),
    ("one_success", [K, K], "skipped"),
    ("one_failed", [F, None], "run"),
    ("one_failed", [U, None], "run"),
    ("one_failed", [S, S], "skipped"),
    ("one_done", [F, None], "run"),
    ("one_done", [U, K], "skipped"),
    ("none_failed", [S, K], "run"),
    ("none_failed", [S, F], "upstream_failed"),
    ("none_failed_min_one_success", [S, K], "run"),
    ("none_failed_min_one_success", [K, K], "skipped"),
    ("none_skipped", [S, F], "run"),
    ("none_skipped", [K, None], "skipped"),
    ("always", [None], "run"),
]


@pytest.mark.parametrize(("rule", "states", "expected"), TABLE)
def test_a_rule_decides_as_airflow_does(rule: str, states: list[State | None], expected: Decision) -> None:
    assert decide(rule, {str(number): state for number, state in enumerate(states)}) == expected


@pytest.mark.parametrize("rule", TRIGGER_RULES)
def test_a_task_that_follows_nothing_runs(rule: str) -> None:
    assert decide(rule, {}) == "run"


def test_the_table_has_each_rule() -> None:
    assert {rule for rule, _, _ in TABLE} == set(TRIGGER_RULES)


@given(st.sampled_from(TRIGGER_RULES), st.lists(ENDED))
def test_when_all_has_ended_each_rule_decides(rule: str, states: list[State]) -> None:
    assert decide(rule, {str(number): state for number, state in enumerate(states)}) != "wait"


@given(st.sampled_from(TRIGGER_RULES), st.lists(ENDED, min_size=1), st.data())
def test_what_is_decided_early_is_what_is_decided_in_the_end(
    rule: str, states: list[State], data: st.DataObject
) -> None:
    waiting = data.draw(st.sets(st.sampled_from(range(len(states)))))
    early = decide(rule, {str(number): None if number in waiting else state for number, state in enumerate(states)})
    late = decide(rule, {str(number): state for number, state in enumerate(states)})
    worse = (early, late) == (
        "skipped",
        "upstream_failed",
    )  # Airflow skips at once, and would have seen a failure later
    assert early in ("wait", late) or worse


def test_a_teardown_runs_when_all_is_done_and_a_setup_went_well() -> None:
    assert decide(TEARDOWN, {"up": S, "work": F}, ["up"]) == "run"
    assert decide(TEARDOWN, {"up": S, "work": None}, ["up"]) == "wait"
    assert decide(TEARDOWN, {"up": F, "work": U}, ["up"]) == "upstream_failed"
    assert decide(TEARDOWN, {"up": K, "work": K}, ["up"]) == "skipped"
