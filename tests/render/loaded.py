"""What Airflow sees of a rendered project, in a process and an AIRFLOW_HOME of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def load_in_airflow(
    files: Mapping[str, bytes], folder: Path, environment_name: str | None = None, script: str = "load_in_airflow.py"
) -> dict[str, Any]:
    """Loads the project `digits` of `files`, in the environment of that name where one is given."""
    for path, content in files.items():
        target = folder / "bundle/digits" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    if environment_name:
        (folder / "bundle/environment.json").write_text(json.dumps({"name": environment_name}))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment |= {"AIRFLOW_HOME": str(folder / "home"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name(script), folder / "bundle"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seen
