"""A release as a bundle stages it, made of the real runtime and operators, and a run of its DAG in a real Airflow."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import windlass
from tests.fakes.s3_server import CREDENTIALS
from windlass.spec.environment import Buckets, Receiver, RuntimeSettings

SOURCE = Path(windlass.__file__).parent
BUCKETS = Buckets(code="code", models="models", data="data")


@dataclass(frozen=True)
class Ran:
    """How a DAG ended: the state of each task, the run's id and all that was logged."""

    states: dict[str, str]
    run_id: str
    log: str


def release_files(dag: str) -> dict[str, bytes]:
    """The files of a release with one DAG that was written by hand, `it`."""
    parts = [path for part in ("runtime", "operators") for path in (SOURCE / part).glob("*.py")]
    copied = {path.relative_to(SOURCE).as_posix(): path.read_bytes() for path in parts}
    return {**copied, "__init__.py": b"", ".airflowignore": b"operators/\nruntime/\n", "dags/it.py": dag.encode()}


RECEIVERS = {"ops": Receiver(connection="web"), "away": Receiver(connection="no_such_connection")}


def stage(root: Path, project: str, files: Mapping[str, bytes], endpoint: str, prefix: str = "dev") -> Path:
    """Writes the bundle's root folder: `environment.json` and, behind a link as in production, the release."""
    release = root.parent / "releases" / project
    for path, content in files.items():
        (release / path).parent.mkdir(parents=True, exist_ok=True)
        (release / path).write_bytes(content)
    root.mkdir()
    (root / project).symlink_to(release, target_is_directory=True)
    settings = RuntimeSettings(
        name="dev", prefix=prefix, s3=BUCKETS.model_copy(update={"endpoint": endpoint}), notify=RECEIVERS
    )
    (root / "environment.json").write_text(settings.model_dump_json())
    return root


def run_dag(root: Path, dag_id: str, home: Path, settings: Mapping[str, str] | None = None) -> Ran:
    """Runs a DAG of the staged release in an Airflow whose home is `home`; `settings` are added to its environment."""
    script = Path(__file__).with_name("run_dag_once.py")
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(root),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        **CREDENTIALS,
        **(settings or {}),
    }
    done = subprocess.run(
        [sys.executable, str(script), dag_id],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    result = json.loads(done.stdout.splitlines()[-1])
    return Ran(result["states"], result["run_id"], done.stdout)
