"""Loads the DAGs of several bundles in the Airflow that is here and prints what it sees of them as JSON.

Started as a script in a process of its own, with any Airflow from 3.1: `load_all.py BUNDLE...`.
Windlass itself is not asked.
The network is refused: whoever asks for it is an error of the DAG's import.
"""

import json
import sys
from pathlib import Path
from typing import Any

from airflow.serialization import serialized_objects

from airflow import __version__

try:
    from airflow.dag_processing.dagbag import BundleDagBag
except ImportError:  # Airflow 3.1
    from airflow.models.dagbag import BundleDagBag

SERIALIZED: Any = getattr(serialized_objects, "DagSerialization", None) or serialized_objects.SerializedDAG
NETWORK = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostby", "socket.sendto", "socket.sendmsg")


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(NETWORK):
        raise PermissionError(f"{event} while a DAG is loaded")


def load(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The errors by the file's name, and what Airflow would keep of each DAG."""
    bag: Any = BundleDagBag(dag_folder=str(folder), bundle_path=folder)
    errors = {Path(path).stem: error for path, error in bag.import_errors.items()}
    return errors, {name: json.dumps(SERIALIZED.to_dict(dag), sort_keys=True) for name, dag in bag.dags.items()}


sys.addaudithook(refuse)
seen = {}
for argument in sys.argv[1:]:
    errors, first = load(Path(argument))
    again = load(Path(argument))[1]
    seen[Path(argument).name] = {"errors": errors, "dags": sorted(first), "stable": first == again}
sys.stdout.write("\n" + json.dumps({"version": __version__, "projects": seen}) + "\n")
