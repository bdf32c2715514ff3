"""Airflow's trigger rules, for tasks that run outside of it: what becomes of a task when those before it have ended."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal

State = Literal["success", "failed", "skipped", "upstream_failed"]
Decision = Literal["run", "skipped", "upstream_failed", "wait"]
TEARDOWN = "teardown"
"""The rule of a teardown: it runs when all is done, if one of its setups went well."""


def decide(rule: str, upstream: Mapping[str, State | None], setups: Iterable[str] = ()) -> Decision:
    """Whether a task runs, from the states of the tasks that it follows; None is one that has not ended."""
    if not upstream:
        return "run"
    count = Counter(upstream.values())
    success, failed, skipped = count["success"], count["failed"] + count["upstream_failed"], count["skipped"]
    is_done = count[None] == 0
    early = _early(rule, success, failed, skipped, count["failed"])
    if early is not None or not is_done:
        return early or "wait"
    if rule == TEARDOWN:
        return _teardown([upstream[setup] for setup in setups if setup in upstream])
    return _late(rule, success, failed, skipped, count["failed"], len(upstream))


def _early(rule: str, success: int, failed: int, skipped: int, failed_itself: int) -> Decision | None:
    """What is plain before all have ended."""
    if rule == "always":
        return "run"
    if rule in ("all_success", "none_failed", "none_failed_min_one_success") and failed:
        return "upstream_failed"
    if (rule in ("all_success", "none_skipped", "all_done_min_one_success") and skipped) or (
        rule == "all_failed" and (success or skipped)
    ):
        return "skipped"
    if rule == "all_skipped" and (success or failed):
        return "skipped"
    runs = {"one_success": success, "one_failed": failed, "one_done": success + failed_itself}
    return "run" if runs.get(rule) else None


def _late(rule: str, success: int, failed: int, skipped: int, failed_itself: int, total: int) -> Decision:
    if rule == "one_success":
        return "skipped" if skipped == total else "upstream_failed"
    if rule in ("one_failed", "one_done"):
        return "skipped"
    if rule == "none_failed_min_one_success" and not success:
        return "skipped" if skipped == total else "upstream_failed"
    if rule == "all_done_min_one_success" and not success:
        return "upstream_failed"
    return "run"


def _teardown(setups: list[State | None]) -> Decision:
    if not setups or "success" in setups:
        return "run"
    return "skipped" if set(setups) == {"skipped"} else "upstream_failed"
