"""What Airflow pays for reading a DAG file."""

import subprocess
import sys

import pytest

from windlass.catalog.read import STANDARD


@pytest.mark.airflow
def test_reading_a_dag_file_imports_nothing_but_the_operators_and_airflows_sdk() -> None:
    script = """
import sys
from importlib import import_module
from airflow.sdk import Asset, BaseOperator, BaseSensorOperator
before = set(sys.modules)
for name in NAMES:
    import_module(f"windlass.operators.{name}")
added = {name for name in set(sys.modules) - before if name.partition(".")[0] not in sys.stdlib_module_names}
ours = ("windlass.operators", "windlass.runtime", "airflow.sdk.")
print(sorted(name for name in added if name != "windlass" and not name.startswith(ours)))
"""
    names = [path.stem for path in STANDARD.glob("*.py") if path.stem != "__init__"]
    script = f"NAMES = {names}\n{script}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
