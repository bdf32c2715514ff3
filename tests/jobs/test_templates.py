"""Airflow's templates without an Airflow."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windlass.jobs.run_context import RunContext, Templates
from windlass.runtime.errors import RuntimeStop
from windlass.runtime.script import Script

AT = datetime(2026, 1, 31, 6, 30, tzinfo=UTC)


def templates(**params: object) -> Templates:
    return Templates(RunContext("scores", AT, Path("/run"), params), "group.task", 4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ ds }} {{ ds_nodash }}", "2026-01-31 20260131"),
        ("{{ ts }} {{ ts_nodash }}", "2026-01-31T06:30:00+00:00 20260131T063000"),
        ("{{ ts_nodash_with_tz }}", "20260131T063000+0000"),
        ("{{ logical_date | ds }} {{ data_interval_start.year }} {{ data_interval_end.month }}", "2026-01-31 2026 1"),
        ("{{ run_id }} {{ dag_run.run_id == run_id }}", "local__2026-01-31T06:30:00+00:00 True"),
        ("{{ dag.dag_id }} {{ task.task_id }} {{ ti.try_number }} {{ ti.map_index }}", "scores group.task 1 4"),
        ("{{ macros.ds_add(ds, 5) }} {{ macros.ds_format(ds, '%Y-%m-%d', '%d.%m.') }}", "2026-02-05 31.01."),
        ("{% if params.full %}all{% endif %} ${HOME} {port}", "all ${HOME} {port}"),
    ],
)
def test_they_say_what_airflow_would_say(text: str, expected: str) -> None:
    assert templates(full=True).text("sql", text) == expected
    assert templates(full=True).text("sql", {"a": [text, 1]}) == {"a": [expected, 1]}


@given(st.text().filter(lambda text: "\0" not in text))
def test_what_a_template_prints_in_a_script_is_one_word_whatever_it_is(value: str) -> None:
    import shlex

    script = Script("echo {{ params.x }} {data}", {"data": "a b"})
    assert shlex.split(script.filled(templates(x=value).fill(script))) == ["echo", value, "a b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ var.value.x }}", "'var' is undefined; outside of Airflow templates know dag, "),
        ("{{ params.y }}", "has no attribute 'y'; outside of Airflow"),
        ("{{ ''.__class__.__mro__ }}", "is unsafe"),
        ("{{ ds", "unexpected end of template"),
        ("{{ ds | upside_down }}", "upside_down"),
        ("{{ 1 + ds }}", "unsupported operand"),
    ],
)
def test_what_they_cannot_say_is_one_sentence(text: str, message: str) -> None:
    with pytest.raises(RuntimeStop, match="to: ") as stop:
        templates(x=1).text("to", text)
    assert message in str(stop.value)
