"""Runs a DAG from ReleaseBundle in the Airflow that is here, and has the bundle follow S3; prints JSON.

Started as a script in a process of its own, with the bundle in Airflow's configuration: `run_release.py [DAG_ID]`.
"""

import functools
import json
import sys
from pathlib import Path
from typing import Any

import botocore.loaders

from tests.fakes.releases import deliver, make_release
from windlass.adapters.s3 import open_bucket
from windlass.spec.state import State


def follow(manager: Any, live: Any) -> dict[str, Any]:
    """What the bundle shows after another promotion, to the DAG processor and to a task of an older run."""
    store = open_bucket(live.bucket, live.endpoint)
    first = State.model_validate_json(store.get(f"{live.prefix}/state.json").content)
    second = deliver(store, {"digits": make_release("digits", {"read": "two"})}, serial=2, settings=first.environment)
    before = sorted(path.name for path in live.path.iterdir())
    live.refresh()
    current = live.get_current_version()
    of_run = manager.get_bundle("windlass", version=first.name)
    of_run.initialize()
    return {
        "before": before,
        "live": sorted(path.name for path in live.path.iterdir()),
        "of the run": sorted(path.name for path in of_run.path.iterdir()),
        "staged at": of_run.path.relative_to(live.base_dir).as_posix() == f"versions/{first.name}",
        "is current": getattr(current, "version", current) == second.name,
        "kind": type(current).__name__,
    }


def run(folder: Path, dag_id: str) -> dict[str, str]:
    """How each task ended; of a mapped one how its runs did."""
    sys.path.append(str(folder))
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:  # Airflow 3.1
        from airflow.models.dagbag import DagBag

    found = DagBag(dag_folder=str(folder), bundle_path=folder)
    assert not found.import_errors, found.import_errors
    states: dict[str, set[str]] = {}
    for instance in found.dags[dag_id].test().get_task_instances():
        states.setdefault(instance.task_id, set()).add(str(getattr(instance.state, "value", instance.state)))
    return {task: " and ".join(sorted(ended)) for task, ended in states.items()}


def main(dag_id: str | None) -> None:
    # a worker has one process for each task; here all of them would read boto3's large tables again and again
    botocore.loaders.create_loader = functools.cache(botocore.loaders.create_loader)
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.sdk.execution_time import supervisor
    from airflow.utils.db import initdb

    # and build the routes of the task API again and again, two seconds for each task
    supervisor.in_process_api_server = functools.cache(supervisor.in_process_api_server)
    initdb()
    manager = DagBundlesManager()
    live = manager.get_bundle("windlass")
    live.initialize()
    states = run(live.path, dag_id) if dag_id else {}
    sys.stdout.write("\n" + json.dumps({**follow(manager, live), "states": states}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
