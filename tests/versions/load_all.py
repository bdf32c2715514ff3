"""Loads the DAGs of several bundles in the Airflow that is here and prints what it sees of them as JSON.

Each bundle is loaded as it is where no environment is known, and as it is in each of `ENVIRONMENTS`.
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
ENVIRONMENTS = ("dev", "stage", "prod")
NETWORK = ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostby", "socket.sendto", "socket.sendmsg")


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event.startswith(NETWORK):
        raise PermissionError(f"{event} while a DAG is loaded")


def load(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The errors by the file's name, and what Airflow would keep of each DAG."""
    bag: Any = BundleDagBag(dag_folder=str(folder), bundle_path=folder)
    errors = {Path(path).stem: error for path, error in bag.import_errors.items()}
    return errors, {name: json.dumps(SERIALIZED.to_dict(dag), sort_keys=True) for name, dag in bag.dags.items()}


def look(folder: Path, environment: str | None) -> dict[str, str]:
    """What Airflow would keep of each DAG there; it is asked twice, and notes what goes wrong."""
    settings = folder / "environment.json"
    if environment:
        settings.write_text(json.dumps({"name": environment}))
    else:
        settings.unlink(missing_ok=True)  # another Airflow was here before
    for name in [name for name in sys.modules if name.partition(".")[0] == folder.name]:
        del sys.modules[name]  # what a bundle remembers of its environment
    errors, first = load(folder)
    again = load(folder)[1]
    seen[folder.name]["errors"][environment or ""] = errors
    seen[folder.name]["stable"] &= first == again
    return first


sys.addaudithook(refuse)
seen: dict[str, Any] = {}
for argument in sys.argv[1:]:
    folder = Path(argument)
    seen[folder.name] = {"errors": {}, "stable": True}
    usual = look(folder, None)
    seen[folder.name]["dags"] = sorted(usual)
    seen[folder.name]["other"] = {
        environment: sorted(name for name, dag in look(folder, environment).items() if dag != usual.get(name))
        for environment in ENVIRONMENTS
    }
sys.stdout.write("\n" + json.dumps({"version": __version__, "projects": seen}) + "\n")
