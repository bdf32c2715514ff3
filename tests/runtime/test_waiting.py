"""How often a sensor may look."""

from datetime import timedelta

import pytest

from windlass.runtime.waiting import check_interval


def test_a_task_that_is_put_aside_looks_no_more_often_than_airflow_notices() -> None:
    check_interval(timedelta(seconds=10), "reschedule")
    with pytest.raises(ValueError, match=r"9\.5 seconds is too short for mode 'reschedule'; take at least 10 seconds"):
        check_interval(timedelta(seconds=9.5), "reschedule")


def test_a_task_that_keeps_its_worker_may_look_as_often_as_it_likes() -> None:
    check_interval(timedelta(milliseconds=100), "poke")
