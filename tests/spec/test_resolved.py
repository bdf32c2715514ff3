"""A pipeline as plain data: equal meaning gives equal bytes, and what was written can be read again."""

import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.render.golden_project import CASES, golden_pipeline
from windlass.spec.document import parse_document
from windlass.spec.duration import LONGEST, duration_text, parse_duration
from windlass.spec.pipeline import Pipeline, read_pipeline
from windlass.spec.resolved import Resolved, read_resolved, resolved_json

SHORT = """\
dag: {name: short}
tasks:
  one: {a: {operator_type: s3_to_file, key: a.csv, outputs: {data: a.csv}}}
  two: {b: {operator_type: s3_to_file, key: a.csv, outputs: {data: a.csv}}}
"""


def pipeline(text: str) -> Pipeline:
    found = read_pipeline(parse_document("pipelines/short.yml", text.encode()))
    assert found is not None
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_every_golden_pipeline_can_be_read_again(case) -> None:
    whole = golden_pipeline(case)
    content = resolved_json(whole)
    read = read_resolved(content, whole.dag.name)
    for task_id, task in whole.task_ids.items():
        assert read.tasks[task_id].get("inputs", {}) == task.inputs
        assert read.tasks[task_id].keys() >= task.arguments.keys()
    assert resolved_json(golden_pipeline(case)) == content


def test_what_has_its_default_is_left_out_and_what_decides_the_runs_never_is() -> None:
    assert resolved_json(pipeline(SHORT)) == resolved_json(
        pipeline(SHORT.replace("{name: short}", "{name: short, retries: 0, schedule: null, timezone: UTC}"))
    )
    assert read_resolved(resolved_json(pipeline(SHORT)), "short").dag == {
        "name": "short",
        "schedule": None,
        "timezone": "UTC",
        "start_date": "2026-01-01",
    }


def test_needs_say_what_a_task_waits_for_however_it_was_written() -> None:
    tasks = read_resolved(resolved_json(pipeline(SHORT)), "short").tasks
    assert tasks["two.b"]["needs"] == ["one.a"]
    written = SHORT.replace("two: {b: {", "two: {b: {needs: [one], ")
    assert resolved_json(pipeline(written)) == resolved_json(pipeline(SHORT))
    at_once = SHORT.replace("two: {b: {", "two: {b: {needs: [], ")
    assert "needs" not in read_resolved(resolved_json(pipeline(at_once)), "short").tasks["two.b"]


@pytest.mark.parametrize("value", ["1e999", "{1: a, b: c}", '"\\ud83d\\ude00 \\0"', "[[], {}, null, 1.0]"])
def test_arguments_of_every_kind_can_be_written(value: str) -> None:
    text = SHORT.replace("key: a.csv", f"key: a.csv, odd: {value}")
    document = parse_document("pipelines/short.yml", text.encode())
    found = read_pipeline(document)
    if found is not None:
        assert "odd" in read_resolved(resolved_json(found), "short").tasks["one.a"]


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@settings(deadline=None)
@given(st.dictionaries(st.text(), _VALUES), st.dictionaries(st.text(), st.dictionaries(st.text(), _VALUES)))
def test_the_bytes_are_those_of_the_standard_library(
    dag: dict[str, object], tasks: dict[str, dict[str, object]]
) -> None:
    content = {"format": 1, "dag": dag, "tasks": tasks, "environments": {"prod": {"dag": dag, "tasks": tasks}}}
    written = Resolved(dag, tasks, {"prod": Resolved(dag, tasks)}).to_json()
    assert written == (json.dumps(content, sort_keys=True, indent=1) + "\n").encode()


@settings(deadline=None)
@given(st.integers(1, int(LONGEST.total_seconds())))
def test_a_duration_is_written_as_it_can_be_read(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    text = duration_text(length)
    if int(text.split()[0]) < 10_000_000:
        assert parse_duration(text) == length


def test_durations_are_written_in_the_largest_unit() -> None:
    texts = ["1 second", "90 seconds", "1 minute", "20 minutes", "2 hours", "1 day"]
    assert [duration_text(parse_duration(text)) for text in texts] == texts
    assert duration_text(parse_duration("120 minutes")) == "2 hours"
