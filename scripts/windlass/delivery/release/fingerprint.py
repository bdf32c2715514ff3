"""What a DAG of a release is made of, as one digest: equal digests mean that Airflow would run the same.

A DAG file imports the operators, the runtime and the files beside it. A release in which only another pipeline changed
leaves this digest as it was: such a DAG need not be parsed again, and a run of it under either version is the same run,
as long as the environment's settings are the same too. The pipelines that a release carries as JSON are for people and
plans: nothing that runs reads them.
"""

import hashlib
from collections.abc import Mapping

from windlass.delivery.release.archive import MANIFEST
from windlass.spec.resolved import FOLDER

_DAGS = "dags/"


def runs_in_every_dag(path: str) -> bool:
    """Whether the file may be part of what every DAG of the release runs."""
    is_description = path == MANIFEST or (path.startswith(FOLDER) and path.endswith(".json"))
    return not path.startswith(_DAGS) and not is_description


def fingerprints(files: Mapping[str, bytes]) -> dict[str, str]:
    """A digest for each DAG file `dags/<dag_id>.py` of a release's `files`, by dag_id."""
    context = hashlib.sha256()
    for path in sorted(files):
        if runs_in_every_dag(path):
            context.update(f"\0{path}\0".encode() + hashlib.sha256(files[path]).digest())
    return {
        path.removeprefix(_DAGS).removesuffix(".py"): hashlib.sha256(context.digest() + content).hexdigest()
        for path, content in sorted(files.items())
        if path.startswith(_DAGS) and path.endswith(".py") and not path.endswith("__init__.py")
    }
