"""Loads the DAGs of a folder and prints what Airflow holds of them: a script, `hold_in_airflow.py FOLDER`."""

import json
import sys
from pathlib import Path
from typing import Any

from airflow.dag_processing.dagbag import BundleDagBag

FOLDER = Path(sys.argv[1])
OF_THE_DAG = ("description", "doc_md", "tags", "params", "default_args", "schedule")
NOT_ITS_OWN = {
    "dag",
    "_dag",
    "task_group",
    "upstream_task_ids",
    "downstream_task_ids",
    "start_date",
    "end_date",
    "_log",
}


def plain(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, (set, frozenset)):
        return {"set": [plain(item) for item in value]}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "schema") and hasattr(value, "description"):
        return {"default": plain(value.value), "description": value.description, "schema": plain(value.schema)}
    if hasattr(value, "items"):
        return {str(key): plain(item) for key, item in value.items()}
    if type(value).__name__ == "Notifier":
        return plain(vars(value))
    return type(value).__name__


def of_task(task: Any) -> Any:
    if hasattr(task, "partial_kwargs"):
        expanded = plain(task.expand_input.value)
        return {
            "partial": plain({k: v for k, v in task.partial_kwargs.items() if k not in NOT_ITS_OWN}),
            "each": expanded,
        }
    return plain({key: item for key, item in vars(task).items() if key not in NOT_ITS_OWN})


bag = BundleDagBag(dag_folder=str(FOLDER), bundle_path=FOLDER, bundle_name="windlass")
dags = {
    name: {
        "dag": {key: plain(getattr(dag, key)) for key in OF_THE_DAG},
        "tasks": {task.task_id: of_task(task) for task in dag.tasks},
    }
    for name, dag in bag.dags.items()
}
sys.stdout.write(json.dumps({"errors": {str(p): e for p, e in bag.import_errors.items()}, "dags": dags}))
