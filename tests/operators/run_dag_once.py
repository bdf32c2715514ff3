"""Runs one DAG to its end in a real Airflow without a scheduler; its last line tells how each task ended, as JSON.

Started as a script in a process of its own: `run_dag_once.py DAG_ID`, the release being in Airflow's dags folder.
"""

import functools
import json
import os
import sys
from pathlib import Path

import botocore.loaders


def main(dag_id: str) -> None:
    root = os.environ["AIRFLOW__CORE__DAGS_FOLDER"]
    sys.path.append(root)
    # a worker has one process for each task; here all of them would read boto3's large tables again and again
    botocore.loaders.create_loader = functools.cache(botocore.loaders.create_loader)
    from airflow.dag_processing.dagbag import DagBag
    from airflow.sdk.execution_time import supervisor
    from airflow.utils.db import initdb

    # and build the routes of the task API again and again, a second for each task
    supervisor.in_process_api_server = functools.cache(supervisor.in_process_api_server)
    initdb()
    found = DagBag(dag_folder=root, bundle_path=Path(root), bundle_name="dags-folder")
    assert not found.import_errors, found.import_errors
    run = found.dags[dag_id].test()
    states = {instance.task_id: str(instance.state) for instance in run.get_task_instances()}
    sys.stdout.write("\n" + json.dumps({"run_id": run.run_id, "states": states}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
