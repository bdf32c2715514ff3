"""Loads all DAGs of a bundle's folder as Airflow's DAG processor does and prints what it sees of them as JSON.

Started as a script in a process of its own: `load_in_airflow.py FOLDER`.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import BundleDagBag
from airflow.serialization.serialized_objects import DagSerialization

FOLDER = Path(sys.argv[1])


def load() -> Any:
    return BundleDagBag(dag_folder=str(FOLDER), bundle_path=FOLDER, bundle_name="windlass")


def serialized(bag: Any) -> dict[str, str]:
    return {name: json.dumps(DagSerialization.to_dict(dag), sort_keys=True) for name, dag in bag.dags.items()}


def runs(dag: Any, after: datetime, count: int) -> list[str]:
    """When the DAG's timetable fires next, in UTC."""
    import pendulum
    from airflow.serialization.serialized_objects import DagSerialization
    from airflow.timetables.base import TimeRestriction

    timetable = DagSerialization.from_dict(DagSerialization.to_dict(dag)).timetable
    moments, last = [], None
    for _ in range(count):
        restriction = TimeRestriction(pendulum.instance(after), None, True)
        info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        if info is None:
            break
        last = info.data_interval
        moments.append(info.run_after.in_timezone("UTC").isoformat())
    return moments


bag = load()
sys.stdout.write(
    json.dumps(
        {
            "errors": {str(Path(path).name): error for path, error in bag.import_errors.items()},
            "stable": serialized(bag) == serialized(load()),
            "dags": {
                name: {
                    "upstream": {task.task_id: sorted(task.upstream_task_ids) for task in dag.tasks},
                    "groups": sorted(group for group in dag.task_group.get_task_group_dict() if group),
                    "timezone": dag.timezone.name,
                    "summer": runs(dag, datetime(2026, 3, 28, 0, 0, tzinfo=UTC), 3),
                }
                for name, dag in bag.dags.items()
            },
        }
    )
)
