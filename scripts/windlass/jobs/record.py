"""What is told of a run outside of Airflow: `run.json` in its folder, and the numbers of its table."""

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from windlass.jobs.pipeline_run import Outcome
from windlass.jobs.values import Value
from windlass.runtime.rows import LONGEST_FIELD

FOLDER = Path(".windlass", "runs")
FILE = "run.json"
_COUNTED = 64 * 1024 * 1024
"""Rows of larger files are not counted: that would take longer than many a job."""


@dataclass(frozen=True)
class Left:
    """A file that a task left; `rows` is None where they are not counted."""

    path: str
    size: int
    rows: int | None


def run_folder(project: Path, pipeline: str, now: datetime) -> Path:
    """A new folder for a run, whose name begins with its time."""
    name = f"{now.strftime('%Y%m%dT%H%M%S')}-{pipeline}"
    folder, number = project / FOLDER / name, 1
    while True:
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
            folder = project / FOLDER / f"{name}-{number}"
        else:
            return folder


def left_by(outcome: Outcome) -> dict[str, list[Left]]:
    """The files that a task left, by port."""
    return {port: [_left(path) for path in _paths(value)] for port, value in outcome.outputs.items()}


def document(pipeline: str, run_id: str, outcomes: Iterable[Outcome], inputs: Mapping[str, Value]) -> dict[str, Any]:
    """The run as plain data."""
    tasks = {
        each.task: {
            "state": each.state,
            "note": each.note,
            "seconds": round(each.seconds, 3),
            "peak_bytes": each.peak,
            "times": each.times,
            "log": str(each.log) if each.log else None,
            "outputs": {port: [vars(left) for left in files] for port, files in left_by(each).items()},
        }
        for each in outcomes
    }
    given = {reference: [str(path) for path in _paths(value)] for reference, value in inputs.items()}
    return {"pipeline": pipeline, "run_id": run_id, "inputs": given, "tasks": tasks}


def write_record(folder: Path, content: Mapping[str, Any]) -> None:
    """Writes `run.json`."""
    (folder / FILE).write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _paths(value: Value) -> list[Path]:
    return value if isinstance(value, list) else [value]


def _left(path: Path) -> Left:
    size = path.stat().st_size
    return Left(str(path), size, _rows(path) if path.suffix == ".csv" and size <= _COUNTED else None)


def _rows(path: Path) -> int | None:
    """The records below the header; None where it is not CSV in UTF-8."""
    csv.field_size_limit(LONGEST_FIELD)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return max(sum(1 for record in csv.reader(file) if record) - 1, 0)
    except (UnicodeDecodeError, csv.Error):
        return None
