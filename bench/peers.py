"""The Python in which the peers are measured: made in the scratch folder, with this project's versions of Airflow."""

import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

DAG_FACTORY, AIRFLOW_CONFIG = "1.1.0", "1.12.8"
_WANTED = (
    "apache-airflow",
    "apache-airflow-providers-standard",
    f"dag-factory=={DAG_FACTORY}",
    f"airflow-config[airflow3]=={AIRFLOW_CONFIG}",
)
_FREE = ("windlass", "antlr4-python3-runtime")
"""Without windlass itself, and the parser whose newest version would allow only candidates of hydra."""


def python_of_peers(scratch: Path) -> Path:
    """The interpreter; made at the first call, which takes seconds where uv has the packages in its cache."""
    folder = scratch / "peers"
    python = folder / "bin/python"
    if python.exists():
        return python
    uv = str(Path(sys.executable).with_name("uv"))
    constraints = scratch / "constraints.txt"
    installed = {one.metadata["Name"].lower(): one.version for one in distributions()}
    constraints.write_text("".join(f"{name}=={version}\n" for name, version in installed.items() if name not in _FREE))
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
        [uv, "pip", "install", "--quiet", "--python", str(python), "--constraints", str(constraints), *_WANTED],
    ):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    return python
