"""Where a file is delivered to."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.airflow

DAY, NEXT_DAY = datetime(2026, 1, 31, 23, 30, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)


def delivered(to: str, logical_date: datetime | None = DAY) -> str:
    from windlass.operators.deliver import delivered_path

    run = SimpleNamespace(logical_date=logical_date, run_after=NEXT_DAY, start_date=NEXT_DAY, run_id="manual__a b/c")
    return delivered_path(to, run)


def test_date_and_run_are_filled_in() -> None:
    assert delivered("digits/{ds}/{run_id}.csv") == "digits/2026-01-31/manual__a%20b%2Fc.csv"


def test_a_run_by_hand_without_logical_date_takes_the_date_at_which_it_was_to_begin() -> None:
    assert delivered("{ds}", logical_date=None) == "2026-02-01"


def test_several_or_no_inputs_are_refused_when_the_dag_is_read() -> None:
    from windlass.operators.deliver import Deliver
    from windlass.operators.job import JobOperator
    from windlass.operators.s3_to_file import S3ToFile

    with pytest.raises(ValueError, match="deliver has exactly one input, not 2: a, b"):
        Deliver(task_id="x", to="x", inputs={"a": 1, "b": 2})
    with pytest.raises(ValueError, match="s3_to_file has exactly one output, not 0"):
        S3ToFile(task_id="x", key="x", outputs={})
    with pytest.raises(ValueError, match=r"two outputs have the same file name: a\.csv, a\.csv"):
        JobOperator(
            task_id="x",
            execution_script="",
            docker_image="",
            execution_time=NEXT_DAY - DAY,
            outputs={"a": "a.csv", "b": "a.csv"},
        )
    with pytest.raises(ValueError, match=r"output 'a': '\.\./a\.csv' is not a file name"):
        S3ToFile(task_id="x", key="x", outputs={"a": "../a.csv"})
