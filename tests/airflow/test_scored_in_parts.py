"""A table that is scored in eight parts by Airflow's tasks gives the bytes that it gives as a whole."""

import csv
import io
from pathlib import Path

import pytest

from tests.airflow.scoring import WORKERS, score, two_workers
from tests.fakes.s3_server import CREDENTIALS, moto_server

pytestmark = pytest.mark.airflow

ROWS = 3000
COLUMNS = ("carrier", "flight", "dep_delay", "distance", "air_time", "remark")
REMARKS = ("", "late,\nagain", 'so "called"', "ü", "two\r\nlines")


def rows() -> list[tuple[object, ...]]:
    return [
        (
            "UA" if row % 3 else "B6",
            row,
            "NA" if row % 7 == 0 else row % 90 - 20,
            row % 4000,
            row % 300,
            REMARKS[row % 5],
        )
        for row in range(ROWS)
    ]


def table() -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *rows()])
    return text.getvalue().encode()


def scores() -> bytes:
    lines = ["flight,score\n"]
    for carrier, flight, delay, distance, time, _ in rows():
        score = (0.0 if delay == "NA" else float(str(delay))) * 0.7 + float(str(distance)) / 1000
        lines.append(f"{carrier}{flight},{score - float(str(time)) / 60:.6f}\n")
    return "".join(lines).encode()


def test_a_table_in_eight_parts_on_two_workers_is_scored_as_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with moto_server("code", "models", "data") as endpoint, two_workers(tmp_path, endpoint) as airflow:
        found = score(airflow, endpoint, table())
    assert found.whole == scores()
    assert found.parts == found.whole
    assert found.at_once <= WORKERS
